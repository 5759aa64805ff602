// Each family by config.json files as their authors published them: read without complaint, with the published number
// of parameters; and what each family refuses.

import { describe, expect, it } from 'vitest';
import { configFaults, DEFAULTS } from '../config/run-config';
import { AppError } from '../base/errors';
import { parseModelConfig } from './config';
import { parameterCount, parameterTable } from './parameters';
import { GPT2, LLAMA2, LLAMA32, MISTRAL, QWEN25, QWEN3, GEMMA3, SMOLLM3, GRANITE } from '../testing/published-configs';
import { PUBLIC_CONFIGS } from './public-configs';
import type { ModelShape } from './types';

const FOURTH = Array.from({ length: 9 }, (_, i) => 4 * i + 3);

const LOCAL = Array.from({ length: 26 }, (_, layer) => layer).filter((layer) => layer % 6 !== 5);

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

const parse = (json: unknown): ModelShape => parseModelConfig(json, 'config.json');

function refusal(json: unknown): AppError {
  try {
    parse(json);
  } catch (thrown) {
    if (thrown instanceof AppError) return thrown;
    throw thrown;
  }
  throw new Error(`accepted ${JSON.stringify(json)}`);
}

describe('as published', () => {
  it.each<[string, object, number, Partial<ModelShape>]>([
    ['GPT-2', GPT2, 124_439_808, { family: 'gpt2', style: 'gpt2', headDim: 64, ff: 3072, tied: true, rope: null }],
    [
      'DistilGPT-2',
      { ...GPT2, _num_labels: 1, id2label: { 0: 'LABEL_0' }, n_layer: 6 },
      81_912_576,
      { layers: 6, activation: 'gelu_tanh' },
    ],
    [
      'Llama 1 7B',
      { ...LLAMA2, num_key_value_heads: undefined, rms_norm_eps: 1e-6, max_sequence_length: 2048, max_position_embeddings: 2048 },
      6_738_415_616,
      { kvHeads: 32, headDim: 128, maxPositions: 2048, normEps: 1e-6, tied: false },
    ],
    ['Llama 2 7B', LLAMA2, 6_738_415_616, { rope: { theta: 1e4, scaling: null } }],
    [
      'TinyLlama 1.1B',
      {
        ...LLAMA2,
        hidden_size: 2048,
        intermediate_size: 5632,
        max_position_embeddings: 2048,
        num_hidden_layers: 22,
        num_key_value_heads: 4,
      },
      1_100_048_384,
      { headDim: 64, kvHeads: 4 },
    ],
    [
      'Llama 3.2 1B',
      LLAMA32,
      1_235_814_400,
      {
        qkvBias: false,
        rope: { theta: 5e5, scaling: { type: 'llama3', factor: 32, lowFreqFactor: 1, highFreqFactor: 4, originalPositions: 8192 } },
      },
    ],
    [
      'Mistral 7B v0.1',
      MISTRAL,
      7_241_732_096,
      {
        family: 'mistral',
        style: 'llama',
        kvHeads: 8,
        headDim: 128,
        maxPositions: 32768,
        window: { size: 4096, layers: range(0, 32), rope: null },
        qkvBias: false,
      },
    ],
    [
      'Mistral 7B v0.3',
      { ...MISTRAL, sliding_window: null, rope_theta: 1e6, vocab_size: 32768 },
      7_248_023_552,
      { maxPositions: 32768, window: null },
    ],
    [
      'Qwen2.5 0.5B',
      QWEN25,
      494_032_768,
      { family: 'qwen2', qkvBias: true, attentionOutBias: false, mlpBias: false, maxPositions: 32768, window: null, tied: true },
    ],
    [
      'Qwen3 0.6B',
      QWEN3,
      596_049_920,
      {
        family: 'qwen3',
        style: 'llama',
        width: 1024,
        heads: 16,
        headDim: 128,
        qkNorm: true,
        qkvBias: false,
        rope: { theta: 1e6, scaling: null },
      },
    ],
    [
      'Gemma 3 1B',
      GEMMA3,
      999_885_952,
      {
        family: 'gemma3_text',
        headDim: 256,
        kvHeads: 1,
        normOffset: 1,
        sandwich: true,
        qkNorm: true,
        activation: 'geglu',
        tied: true,
        attentionScale: 1 / 16,
        embeddingScale: 34,
        logitCap: null,
      },
    ],
    [
      'SmolLM3 3B',
      SMOLLM3,
      3_075_098_624,
      { family: 'smollm3', headDim: 128, kvHeads: 4, ropeless: FOURTH, rope: { theta: 5e6, scaling: null }, window: null, tied: true },
    ],
    [
      'Granite 3.0 2B',
      GRANITE,
      2_533_531_648,
      { family: 'granite', headDim: 64, kvHeads: 8, embeddingScale: 12, residualScale: 0.22, attentionScale: 0.015625, logitScale: 1 / 8 },
    ],
    [
      'Gemma 3 270M',
      { ...PUBLIC_CONFIGS['gemma-3-270m'], _sliding_window_pattern: 6, use_bidirectional_attention: false },
      268_098_176,
      { width: 640, layers: 18, headDim: 256, embeddingScale: 25.25 },
    ],
  ])('%s', (_, json, parameters, want) => {
    const shape = parse(json);
    expect(shape).toMatchObject(want);
    expect(parameterCount(parameterTable(shape))).toBe(parameters);
  });

  it('SmolLM2 135M, with the odd fields that it carries', () => {
    const shape = parse({
      ...LLAMA2,
      hidden_size: 576,
      intermediate_size: 1536,
      is_llama_config: true,
      max_position_embeddings: 8192,
      num_attention_heads: 9,
      num_hidden_layers: 30,
      num_key_value_heads: 3,
      rope_interleaved: false,
      rope_theta: 100000,
      tie_word_embeddings: true,
      'transformers.js_config': { kv_cache_dtype: { q4f16: 'float16' } },
      vocab_size: 49152,
    });
    expect(parameterCount(parameterTable(shape))).toBe(134_515_008);
  });
});

describe('Mistral', () => {
  it('has a window of 4096 where its config says nothing, and none where it says null or more than the positions', () => {
    expect(parse({ ...MISTRAL, sliding_window: undefined }).window).toEqual({ size: 4096, layers: range(0, 32), rope: null });
    expect(parse({ ...MISTRAL, sliding_window: null }).window).toBeNull();
    expect(parse({ ...MISTRAL, sliding_window: 131072 }).window).toBeNull();
    expect(refusal({ ...MISTRAL, sliding_window: 0 }).detail).toContain('sliding_window is 0');
    expect(refusal({ ...MISTRAL, sliding_window: '4096' }).code).toBe('MODEL_CONFIG');
  });

  it('takes sequences beyond the window: it slides', () => {
    const shape = parse({ ...MISTRAL, sliding_window: 48 });
    expect(configFaults({ ...DEFAULTS, seqLen: 49 }, shape)).toEqual([]);
    expect(configFaults({ ...DEFAULTS, seqLen: 32769 }, shape)).toHaveLength(1);
  });

  it('says its number of key-value heads itself, and has no biases', () => {
    expect(refusal({ ...MISTRAL, num_key_value_heads: undefined }).detail).toBe('config.json: num_key_value_heads is missing.');
    expect(refusal({ ...MISTRAL, attention_bias: true }).detail).toContain('attention_bias is true');
    expect(refusal({ ...MISTRAL, layer_types: ['sliding_attention'] }).code).toBe('MODEL_UNSUPPORTED');
  });
});

describe('Qwen3', () => {
  it('says its head dim itself', () => {
    expect(refusal({ ...QWEN3, head_dim: undefined }).detail).toBe('config.json: head_dim is missing.');
    expect(refusal({ ...QWEN3, head_dim: 127 }).code).toBe('MODEL_CONFIG');
  });

  it('may have biases of q, k, v and o together, and none elsewhere', () => {
    expect(parse({ ...QWEN3, attention_bias: true })).toMatchObject({ qkvBias: true, attentionOutBias: true, mlpBias: false });
    expect(refusal({ ...QWEN3, mlp_bias: true }).detail).toContain('mlp_bias is true');
  });

  it('may have its length scaled by yarn', () => {
    const yarn = { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 32768 };
    const read = { type: 'yarn', factor: 4, betaFast: 32, betaSlow: 1, originalPositions: 32768, attentionFactor: 0.1 * Math.log(4) + 1 };
    expect(parse({ ...QWEN3, rope_scaling: yarn }).rope).toEqual({ theta: 1e6, scaling: read });
    expect(refusal({ ...QWEN3, rope_scaling: { ...yarn, mscale: 1 } }).detail).toContain('rope_scaling.mscale is 1');
    expect(refusal({ ...QWEN3, rope_scaling: { rope_type: 'yarn', factor: 4 } }).detail).toContain(
      'original_max_position_embeddings is missing',
    );
  });
});

describe('Gemma 3', () => {
  it('has a local layer but for every sixth, with a base of its own, however the file says so', () => {
    const want = { rope: { theta: 1e6, scaling: null }, window: { size: 512, layers: LOCAL, rope: { theta: 1e4, scaling: null } } };
    const { sliding_window_pattern: _, ...unspecified } = GEMMA3;
    const kinds = Array.from({ length: 26 }, (__, i) => (LOCAL.includes(i) ? 'sliding_attention' : 'full_attention'));
    const sets = {
      rope_parameters: {
        full_attention: { rope_type: 'default', rope_theta: 1e6 },
        sliding_attention: { rope_type: 'default', rope_theta: 1e4 },
      },
    };
    for (const file of [GEMMA3, unspecified, { ...unspecified, layer_types: kinds }, { ...GEMMA3, ...sets }])
      expect(parse(file)).toMatchObject(want);
    const linear = { rope_type: 'linear', factor: 8 };
    expect(parse({ ...GEMMA3, rope_scaling: linear })).toMatchObject({
      rope: { theta: 1e6, scaling: { type: 'linear', factor: 8 } },
      window: want.window,
    });
    // Local layers keep their angles where no text is longer than the window.
    expect(parse({ ...GEMMA3, sliding_window: 131072 }).window?.layers).toEqual(LOCAL);
    expect(refusal({ ...GEMMA3, ...sets, rope_theta: 1e4 }).detail).toContain('rope_theta is 10000');
    expect(refusal({ ...GEMMA3, rope_parameters: { ...sets.rope_parameters, factor: 2 } }).detail).toContain('rope_parameters.factor');
  });

  it('multiplies embeddings by the root of the width in the type of the weights', () => {
    const scale = (type?: string): number => parse({ ...GEMMA3, hidden_size: 640, torch_dtype: type }).embeddingScale;
    expect([scale('bfloat16'), scale('float16'), scale('float32'), scale()]).toEqual([
      25.25,
      25.296875,
      Math.fround(Math.sqrt(640)),
      Math.fround(Math.sqrt(640)),
    ]);
  });

  it('divides scores by the root of its own number, may cap logits, and refuses what it cannot compute', () => {
    expect(parse({ ...GEMMA3, query_pre_attn_scalar: 168, final_logit_softcapping: 30 })).toMatchObject({
      attentionScale: 1 / Math.sqrt(168),
      logitCap: 30,
    });
    expect(refusal({ ...GEMMA3, attn_logit_softcapping: 50 }).detail).toContain('attn_logit_softcapping is 50');
    expect(refusal({ ...GEMMA3, use_bidirectional_attention: true }).detail).toContain('use_bidirectional_attention is true');
    expect(refusal({ ...GEMMA3, hidden_activation: 'relu' }).detail).toContain('hidden_activation is "relu"');
    expect(refusal({ model_type: 'gemma3', text_config: GEMMA3, vision_config: {} }).detail).toContain('vision tower');
  });
});

describe('SmolLM3 and Granite', () => {
  it('have layers without positions by list, or by number', () => {
    const { no_rope_layers: _, ...unlisted } = SMOLLM3;
    expect(parse(unlisted).ropeless).toEqual(FOURTH);
    expect(parse({ ...unlisted, no_rope_layer_interval: 12 }).ropeless).toEqual([11, 23, 35]);
    expect(parse({ ...SMOLLM3, no_rope_layers: [0, ...Array<number>(35).fill(1)] }).ropeless).toEqual([0]);
    expect(refusal({ ...SMOLLM3, no_rope_layers: [1, 0] }).detail).toContain('no_rope_layers');
    expect(refusal({ ...SMOLLM3, use_sliding_window: true }).detail).toContain('use_sliding_window is true');
  });

  it('have no factors but those of the file, and no biases beside them', () => {
    const plain = {
      embedding_multiplier: undefined,
      residual_multiplier: undefined,
      attention_multiplier: undefined,
      logits_scaling: undefined,
    };
    const given = Object.fromEntries(Object.entries({ ...GRANITE, ...plain }).filter(([, value]) => value !== undefined));
    expect(parse(given)).toMatchObject({ embeddingScale: 1, residualScale: 1, attentionScale: 1, logitScale: 1 });
    expect(refusal({ ...GRANITE, attention_bias: true }).detail).toContain('attention_bias is true');
    expect(refusal({ ...GRANITE, residual_multiplier: 0 }).detail).toContain('residual_multiplier is 0');
  });
});

describe('Qwen2', () => {
  it('has a window in its upper layers if it is in use, and ignores the size of one that is not', () => {
    const used = { ...QWEN25, use_sliding_window: true, sliding_window: 100 };
    expect(parse(used).window).toEqual({ size: 100, layers: [21, 22, 23], rope: null });
    const listed = [...Array<string>(22).fill('full_attention'), 'sliding_attention', 'full_attention'];
    expect(parse({ ...used, layer_types: listed }).window?.layers).toEqual([22]);
    expect(parse({ ...used, max_window_layers: 0 }).window?.layers).toEqual(range(0, 24));
    expect(refusal({ ...used, layer_types: ['chunked_attention'] }).code).toBe('MODEL_CONFIG');
    expect(parse({ ...QWEN25, sliding_window: 7 })).toEqual(parse(QWEN25));
    expect(parse({ ...QWEN25, layer_types: Array(24).fill('full_attention') })).toEqual(parse(QWEN25));
    expect(refusal({ ...QWEN25, layer_types: [...Array<string>(23).fill('full_attention'), 'sliding_attention'] }).detail).toContain(
      'layer_types',
    );
  });

  it('refuses multimodal rotary positions', () => {
    expect(refusal({ ...QWEN25, use_mrope: true }).detail).toContain('use_mrope is true');
    expect(refusal({ ...QWEN25, rope_scaling: { type: 'mrope', mrope_section: [1] } }).code).toBe('MODEL_UNSUPPORTED');
  });
});
