// Each family by config.json files as their authors published them: read without complaint, with the published number
// of parameters; and what each family refuses.

import { describe, expect, it } from 'vitest';
import { configFaults, DEFAULTS } from '../config/run-config';
import { AppError } from '../base/errors';
import { parseModelConfig } from './config';
import { parameterCount, parameterTable } from './parameters';
import type { ModelShape } from './types';

const GPT2 = {
  activation_function: 'gelu_new',
  architectures: ['GPT2LMHeadModel'],
  attn_pdrop: 0.1,
  bos_token_id: 50256,
  embd_pdrop: 0.1,
  eos_token_id: 50256,
  initializer_range: 0.02,
  layer_norm_epsilon: 1e-5,
  model_type: 'gpt2',
  n_ctx: 1024,
  n_embd: 768,
  n_head: 12,
  n_layer: 12,
  n_positions: 1024,
  resid_pdrop: 0.1,
  summary_activation: null,
  summary_first_dropout: 0.1,
  summary_proj_to_labels: true,
  summary_type: 'cls_index',
  summary_use_proj: true,
  task_specific_params: { 'text-generation': { do_sample: true, max_length: 50 } },
  vocab_size: 50257,
};

const LLAMA2 = {
  architectures: ['LlamaForCausalLM'],
  bos_token_id: 1,
  eos_token_id: 2,
  hidden_act: 'silu',
  hidden_size: 4096,
  initializer_range: 0.02,
  intermediate_size: 11008,
  max_position_embeddings: 4096,
  model_type: 'llama',
  num_attention_heads: 32,
  num_hidden_layers: 32,
  num_key_value_heads: 32,
  pretraining_tp: 1,
  rms_norm_eps: 1e-5,
  rope_scaling: null,
  tie_word_embeddings: false,
  torch_dtype: 'float16',
  transformers_version: '4.31.0.dev0',
  use_cache: true,
  vocab_size: 32000,
};

const LLAMA32 = {
  architectures: ['LlamaForCausalLM'],
  attention_bias: false,
  attention_dropout: 0.0,
  bos_token_id: 128000,
  eos_token_id: [128001, 128008, 128009],
  head_dim: 64,
  hidden_act: 'silu',
  hidden_size: 2048,
  initializer_range: 0.02,
  intermediate_size: 8192,
  max_position_embeddings: 131072,
  mlp_bias: false,
  model_type: 'llama',
  num_attention_heads: 32,
  num_hidden_layers: 16,
  num_key_value_heads: 8,
  pretraining_tp: 1,
  rms_norm_eps: 1e-5,
  rope_scaling: { factor: 32.0, high_freq_factor: 4.0, low_freq_factor: 1.0, original_max_position_embeddings: 8192, rope_type: 'llama3' },
  rope_theta: 500000.0,
  tie_word_embeddings: true,
  torch_dtype: 'bfloat16',
  use_cache: true,
  vocab_size: 128256,
};

const MISTRAL = {
  architectures: ['MistralForCausalLM'],
  bos_token_id: 1,
  eos_token_id: 2,
  hidden_act: 'silu',
  hidden_size: 4096,
  initializer_range: 0.02,
  intermediate_size: 14336,
  max_position_embeddings: 32768,
  model_type: 'mistral',
  num_attention_heads: 32,
  num_hidden_layers: 32,
  num_key_value_heads: 8,
  rms_norm_eps: 1e-5,
  rope_theta: 10000.0,
  sliding_window: 4096,
  tie_word_embeddings: false,
  torch_dtype: 'bfloat16',
  use_cache: true,
  vocab_size: 32000,
};

const QWEN25 = {
  architectures: ['Qwen2ForCausalLM'],
  attention_dropout: 0.0,
  bos_token_id: 151643,
  eos_token_id: 151645,
  hidden_act: 'silu',
  hidden_size: 896,
  initializer_range: 0.02,
  intermediate_size: 4864,
  max_position_embeddings: 32768,
  max_window_layers: 21,
  model_type: 'qwen2',
  num_attention_heads: 14,
  num_hidden_layers: 24,
  num_key_value_heads: 2,
  rms_norm_eps: 1e-6,
  rope_theta: 1000000.0,
  sliding_window: 32768,
  tie_word_embeddings: true,
  torch_dtype: 'bfloat16',
  use_cache: true,
  use_sliding_window: false,
  vocab_size: 151936,
};

const QWEN3 = {
  architectures: ['Qwen3ForCausalLM'],
  attention_bias: false,
  attention_dropout: 0.0,
  bos_token_id: 151643,
  eos_token_id: 151645,
  head_dim: 128,
  hidden_act: 'silu',
  hidden_size: 1024,
  initializer_range: 0.02,
  intermediate_size: 3072,
  max_position_embeddings: 40960,
  max_window_layers: 28,
  model_type: 'qwen3',
  num_attention_heads: 16,
  num_hidden_layers: 28,
  num_key_value_heads: 8,
  rms_norm_eps: 1e-6,
  rope_scaling: null,
  rope_theta: 1000000,
  sliding_window: null,
  tie_word_embeddings: true,
  torch_dtype: 'bfloat16',
  use_cache: true,
  use_sliding_window: false,
  vocab_size: 151936,
};

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
      { family: 'mistral', style: 'llama', kvHeads: 8, headDim: 128, maxPositions: 4096, windowed: true, qkvBias: false },
    ],
    [
      'Mistral 7B v0.3',
      { ...MISTRAL, sliding_window: null, rope_theta: 1e6, vocab_size: 32768 },
      7_248_023_552,
      { maxPositions: 32768, windowed: false },
    ],
    [
      'Qwen2.5 0.5B',
      QWEN25,
      494_032_768,
      { family: 'qwen2', qkvBias: true, attentionOutBias: false, mlpBias: false, maxPositions: 32768, windowed: false, tied: true },
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
    expect(parse({ ...MISTRAL, sliding_window: undefined })).toMatchObject({ maxPositions: 4096, windowed: true });
    expect(parse({ ...MISTRAL, sliding_window: null })).toMatchObject({ maxPositions: 32768, windowed: false });
    expect(parse({ ...MISTRAL, sliding_window: 131072 })).toMatchObject({ maxPositions: 32768, windowed: false });
    expect(refusal({ ...MISTRAL, sliding_window: 0 }).detail).toContain('sliding_window is 0');
    expect(refusal({ ...MISTRAL, sliding_window: '4096' }).code).toBe('MODEL_CONFIG');
  });

  it('refuses sequences beyond the window, with the reason', () => {
    const shape = parse({ ...MISTRAL, sliding_window: 48 });
    expect(configFaults({ ...DEFAULTS, seqLen: 48 }, shape)).toEqual([]);
    expect(configFaults({ ...DEFAULTS, seqLen: 49 }, shape)).toEqual([
      {
        key: 'seqLen',
        problem: "49 tokens are more than the model's attention window of 48; a window that slides is not implemented.",
        remedy: 'Enter a whole number from 2 to 48.',
      },
    ]);
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

  it('refuses a sliding window that is in use, and a scaled length (yarn)', () => {
    expect(refusal({ ...QWEN3, use_sliding_window: true }).detail).toContain('use_sliding_window is true');
    const yarn = { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 32768 };
    expect(refusal({ ...QWEN3, rope_scaling: yarn })).toMatchObject({
      code: 'MODEL_UNSUPPORTED',
      detail: expect.stringContaining('rope_scaling.rope_type is "yarn"') as string,
    });
  });
});

describe('Qwen2', () => {
  it('refuses a sliding window that is in use, and ignores the size of one that is not', () => {
    expect(refusal({ ...QWEN25, use_sliding_window: true })).toMatchObject({
      code: 'MODEL_UNSUPPORTED',
      detail: 'config.json: use_sliding_window is true, which changes the maths in a way that is not implemented.',
    });
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
