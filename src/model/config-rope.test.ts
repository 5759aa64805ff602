// Rotary settings in both spellings of config.json: what is read, what is refused, and that spellings agree.

import { describe, expect, it } from 'vitest';
import { AppError } from '../base/errors';
import { parseModelConfig } from './config';
import type { Rope } from './types';

const BASE = {
  model_type: 'llama',
  vocab_size: 128256,
  hidden_size: 2048,
  intermediate_size: 8192,
  num_hidden_layers: 16,
  num_attention_heads: 32,
  num_key_value_heads: 8,
  head_dim: 64,
  max_position_embeddings: 131072,
  tie_word_embeddings: true,
};

/** Of the public Llama 3.2 1B. */
const LLAMA3 = { rope_type: 'llama3', factor: 32, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 8192 };
const LLAMA3_READ = { type: 'llama3', factor: 32, lowFreqFactor: 1, highFreqFactor: 4, originalPositions: 8192 };

const rope = (fields: object): Rope | null => parseModelConfig({ ...BASE, ...fields }, 'config.json').rope;

function refusal(fields: object): AppError {
  try {
    rope(fields);
  } catch (thrown) {
    if (thrown instanceof AppError) return thrown;
    throw thrown;
  }
  throw new Error(`accepted ${JSON.stringify(fields)}`);
}

describe('accepted', () => {
  it.each<[string, object, Rope]>([
    ['nothing', {}, { theta: 1e4, scaling: null }],
    ['the base alone', { rope_theta: 5e5, rope_scaling: null }, { theta: 5e5, scaling: null }],
    ['the base inside', { rope_parameters: { rope_theta: 5e5, rope_type: 'default' } }, { theta: 5e5, scaling: null }],
    ['the base inside, no type', { rope_parameters: { rope_theta: 5e5 } }, { theta: 5e5, scaling: null }],
    ['the base twice', { rope_theta: 5e5, rope_parameters: { rope_theta: 5e5 } }, { theta: 5e5, scaling: null }],
    ['old default', { rope_scaling: { type: 'default' } }, { theta: 1e4, scaling: null }],
    ['linear, oldest', { rope_scaling: { type: 'linear', factor: 2.5 } }, { theta: 1e4, scaling: { type: 'linear', factor: 2.5 } }],
    [
      'linear, old',
      { rope_scaling: { rope_type: 'linear', type: 'linear', factor: 4 } },
      { theta: 1e4, scaling: { type: 'linear', factor: 4 } },
    ],
    [
      'linear, new',
      { rope_parameters: { rope_type: 'linear', factor: 4, rope_theta: 7, partial_rotary_factor: 1 } },
      { theta: 7, scaling: { type: 'linear', factor: 4 } },
    ],
    ['llama3, old', { rope_theta: 5e5, rope_scaling: LLAMA3 }, { theta: 5e5, scaling: LLAMA3_READ as Rope['scaling'] }],
    ['llama3, new', { rope_parameters: { ...LLAMA3, rope_theta: 5e5 } }, { theta: 5e5, scaling: LLAMA3_READ as Rope['scaling'] }],
    [
      'both spellings that agree',
      { rope_theta: 5e5, rope_scaling: LLAMA3, rope_parameters: { ...LLAMA3, rope_theta: 5e5 } },
      { theta: 5e5, scaling: LLAMA3_READ as Rope['scaling'] },
    ],
    [
      'entries that are null, and a length that linear scaling has no use for',
      { rope_scaling: { rope_type: 'linear', factor: 2, attention_factor: null, original_max_position_embeddings: 4096 } },
      { theta: 1e4, scaling: { type: 'linear', factor: 2 } },
    ],
  ])('%s', (_, fields, want) => {
    expect(rope(fields)).toEqual(want);
  });
});

describe('refused', () => {
  it.each<[string, string, object]>([
    ['rope_scaling.type', '"dynamic"', { rope_scaling: { type: 'dynamic', factor: 2 } }],
    ['rope_scaling.rope_type', '"longrope"', { rope_scaling: { rope_type: 'longrope', short_factor: [1], long_factor: [1] } }],
    ['rope_parameters.rope_type', '"dynamic"', { rope_parameters: { rope_type: 'dynamic', rope_theta: 1e5 } }],
    ['rope_parameters.full_attention', '{"rope_type":"default"}', { rope_parameters: { full_attention: { rope_type: 'default' } } }],
    ['rope_parameters.partial_rotary_factor', '0.25', { rope_parameters: { partial_rotary_factor: 0.25 } }],
    ['rope_scaling.attention_factor', '1.2', { rope_scaling: { ...LLAMA3, attention_factor: 1.2 } }],
    ['rope_scaling.mrope_section', '[16,24,24]', { rope_scaling: { type: 'default', mrope_section: [16, 24, 24] } }],
    ['rope_scaling.factor', '4', { rope_scaling: { type: 'default', factor: 4 } }],
    ['rope_scaling.low_freq_factor', '1', { rope_scaling: { ...LLAMA3, rope_type: 'linear' } }],
  ])('as unsupported: %s = %s', (field, value, fields) => {
    const error = refusal(fields);
    expect(error.code).toBe('MODEL_UNSUPPORTED');
    expect(error.detail).toContain(`config.json: ${field} is ${value}`);
  });

  it.each<[string, object]>([
    ['rope_scaling.rope_type is missing', { rope_scaling: { factor: 4 } }],
    ['rope_scaling.factor is missing', { rope_scaling: { type: 'linear' } }],
    ['rope_scaling.factor is 0', { rope_scaling: { type: 'linear', factor: 0 } }],
    ['rope_scaling.factor is "2"', { rope_scaling: { type: 'linear', factor: '2' } }],
    ['rope_scaling.low_freq_factor is missing', { rope_scaling: { ...LLAMA3, low_freq_factor: undefined } }],
    ['rope_scaling.high_freq_factor is missing', { rope_scaling: { ...LLAMA3, high_freq_factor: undefined } }],
    ['rope_scaling.high_freq_factor is 1', { rope_scaling: { ...LLAMA3, high_freq_factor: 1 } }],
    [
      'rope_scaling.original_max_position_embeddings is missing',
      { rope_scaling: { ...LLAMA3, original_max_position_embeddings: undefined } },
    ],
    ['rope_scaling.type is "linear"', { rope_scaling: { rope_type: 'default', type: 'linear', factor: 2 } }],
    ['rope_parameters.rope_theta is 1', { rope_theta: 1e5, rope_parameters: { rope_theta: 1 } }],
    ['rope_scaling is {', { rope_parameters: { rope_type: 'linear', factor: 2 }, rope_scaling: { rope_type: 'linear', factor: 4 } }],
    ['rope_scaling is {', { rope_parameters: LLAMA3, rope_scaling: { rope_type: 'default' } }],
    ['rope_scaling is "linear"', { rope_scaling: 'linear' }],
  ])('as malformed: %s', (detail, fields) => {
    const error = refusal(fields);
    expect(error.code).toBe('MODEL_CONFIG');
    expect(error.detail).toContain(`config.json: ${detail}`);
    expect(error.remedy).toMatch(/^It must be /);
  });
});
