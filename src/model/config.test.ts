import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AppError } from '../base/errors';
import { parseModelConfig, shown } from './config';

/** The public GPT-2's config.json, without what nobody reads. */
const GPT2 = {
  activation_function: 'gelu_new',
  architectures: ['GPT2LMHeadModel'],
  attn_pdrop: 0.1,
  embd_pdrop: 0.1,
  resid_pdrop: 0.1,
  layer_norm_epsilon: 1e-5,
  model_type: 'gpt2',
  n_ctx: 1024,
  n_embd: 768,
  n_head: 12,
  n_layer: 12,
  n_positions: 1024,
  vocab_size: 50257,
};

/** The shape of SmolLM2-135M's. */
const LLAMA = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  hidden_act: 'silu',
  hidden_size: 576,
  intermediate_size: 1536,
  is_llama_config: true,
  max_position_embeddings: 8192,
  num_attention_heads: 9,
  num_hidden_layers: 30,
  num_key_value_heads: 3,
  pretraining_tp: 1,
  rms_norm_eps: 1e-5,
  rope_interleaved: false,
  rope_scaling: null,
  rope_theta: 100000,
  tie_word_embeddings: true,
  vocab_size: 49152,
};

const parse = (json: unknown): ReturnType<typeof parseModelConfig> => parseModelConfig(json, 'config.json');

function refusal(json: unknown): AppError {
  try {
    parse(json);
  } catch (thrown) {
    if (thrown instanceof AppError) return thrown;
    throw thrown;
  }
  throw new Error(`accepted ${JSON.stringify(json)}`);
}

describe('accepted configs', () => {
  it('reads GPT-2', () => {
    expect(parse(GPT2)).toEqual({
      family: 'gpt2',
      style: 'gpt2',
      vocab: 50257,
      width: 768,
      layers: 12,
      heads: 12,
      kvHeads: 12,
      headDim: 64,
      ff: 3072,
      maxPositions: 1024,
      window: null,
      ropeless: [],
      residualScale: 1,
      logitScale: 1,
      normOffset: 0,
      sandwich: false,
      attentionScale: 1 / 8,
      embeddingScale: 1,
      logitCap: null,
      norm: 'layer',
      normEps: 1e-5,
      activation: 'gelu_tanh',
      rope: null,
      tied: true,
      qkNorm: false,
      qkvBias: true,
      attentionOutBias: true,
      mlpBias: true,
    });
  });

  it('reads Llama', () => {
    expect(parse(LLAMA)).toEqual({
      family: 'llama',
      style: 'llama',
      vocab: 49152,
      width: 576,
      layers: 30,
      heads: 9,
      kvHeads: 3,
      headDim: 64,
      ff: 1536,
      maxPositions: 8192,
      window: null,
      ropeless: [],
      residualScale: 1,
      logitScale: 1,
      normOffset: 0,
      sandwich: false,
      attentionScale: 1 / 8,
      embeddingScale: 1,
      logitCap: null,
      norm: 'rms',
      normEps: 1e-5,
      activation: 'swiglu',
      rope: { theta: 100000, scaling: null },
      tied: true,
      qkNorm: false,
      qkvBias: false,
      attentionOutBias: false,
      mlpBias: false,
    });
  });

  it('reads the built-in model', () => {
    const json: unknown = JSON.parse(readFileSync(new URL('../../public/models/wordsmith-2m/config.json', import.meta.url), 'utf8'));
    expect(parse(json)).toMatchObject({
      vocab: 2048,
      width: 128,
      layers: 8,
      heads: 4,
      kvHeads: 2,
      headDim: 32,
      ff: 352,
      maxPositions: 512,
      tied: true,
    });
  });

  it.each([
    ['gelu', 'gelu_erf'],
    ['gelu_new', 'gelu_tanh'],
    ['gelu_pytorch_tanh', 'gelu_tanh'],
  ])('maps activation %s to %s', (activation_function, activation) => {
    expect(parse({ ...GPT2, activation_function }).activation).toBe(activation);
  });

  it('uses the defaults of Hugging Face where a field is absent or null', () => {
    expect(parse({ ...GPT2, n_inner: null }).ff).toBe(4 * 768);
    expect(parse({ ...GPT2, n_inner: 100 }).ff).toBe(100);
    expect(parse({ ...GPT2, n_positions: undefined, n_ctx: 77 }).maxPositions).toBe(77);
    expect(parse({ ...GPT2, n_positions: 88, n_ctx: 77 }).maxPositions).toBe(88);
    expect(parse({ ...GPT2, layer_norm_epsilon: undefined }).normEps).toBe(1e-5);
    expect(parse({ ...LLAMA, rms_norm_eps: undefined }).normEps).toBe(1e-6);
    expect(parse({ ...LLAMA, tie_word_embeddings: undefined }).tied).toBe(false);
    expect(parse({ ...GPT2, tie_word_embeddings: false }).tied).toBe(false);
    expect(parse({ ...LLAMA, num_key_value_heads: null }).kvHeads).toBe(9);
    expect(parse({ ...LLAMA, head_dim: null }).headDim).toBe(64);
    expect(parse({ ...LLAMA, head_dim: 32, hidden_size: 500 })).toMatchObject({ headDim: 32, width: 500 });
  });

  it('gives attention_bias to q, k, v and o, and mlp_bias to the feed-forward', () => {
    expect(parse({ ...LLAMA, attention_bias: true })).toMatchObject({ qkvBias: true, attentionOutBias: true, mlpBias: false });
    expect(parse({ ...LLAMA, mlp_bias: true })).toMatchObject({ qkvBias: false, attentionOutBias: false, mlpBias: true });
  });
});

describe('refused as unsupported, naming field and value', () => {
  it.each<[string, string, object]>([
    ['model_type', '"mixtral"', { model_type: 'mixtral' }],
    ['hidden_act', '"gelu"', { hidden_act: 'gelu' }],
    ['partial_rotary_factor', '0.5', { partial_rotary_factor: 0.5 }],
    ['quantization_config', '{"bits":4}', { quantization_config: { bits: 4 } }],
    ['auto_map', '{"AutoModelForCausalLM":"own.py--Own"}', { auto_map: { AutoModelForCausalLM: 'own.py--Own' } }],
    ['tie_encoder_decoder', 'true', { tie_encoder_decoder: true }],
  ])('llama: %s = %s', (field, value, change) => {
    const error = refusal({ ...LLAMA, ...change });
    expect(error.code).toBe('MODEL_UNSUPPORTED');
    expect(error.detail).toContain(`config.json: ${field} is ${value}`);
    expect(error.remedy).not.toBe('');
  });

  it.each<[string, string, object]>([
    ['activation_function', '"relu"', { activation_function: 'relu' }],
    ['scale_attn_weights', 'false', { scale_attn_weights: false }],
    ['scale_attn_by_inverse_layer_idx', 'true', { scale_attn_by_inverse_layer_idx: true }],
    ['reorder_and_upcast_attn', 'true', { reorder_and_upcast_attn: true }],
    ['add_cross_attention', 'true', { add_cross_attention: true }],
    ['pruned_heads', '{"0":[1]}', { pruned_heads: { 0: [1] } }],
  ])('gpt2: %s = %s', (field, value, change) => {
    const error = refusal({ ...GPT2, ...change });
    expect(error.code).toBe('MODEL_UNSUPPORTED');
    expect(error.detail).toContain(`config.json: ${field} is ${value}`);
  });
});

describe('fields that the family does not have', () => {
  it.each<[string, unknown]>([
    ['attention_multiplier', 0.0078125],
    ['embedding_multiplier', 12],
    ['residual_multiplier', 0.22],
    ['logits_scaling', 8],
    ['logit_scale', 0.0625],
    ['final_logit_softcapping', 30],
    ['attn_logit_softcapping', 50],
    ['query_pre_attn_scalar', 256],
    ['no_rope_layers', [1, 1, 1, 0]],
    ['no_rope_layer_interval', 4],
    ['layer_types', ['full_attention', 'sliding_attention']],
    ['sliding_window', 4096],
    ['use_qk_norm', true],
    ['clip_qkv', 8],
    ['num_local_experts', 8],
    ['num_experts_per_tok', 2],
    ['moe_intermediate_size', 768],
    ['rope_interleaved', true],
    ['alibi', true],
    ['parallel_attn', true],
    ['attn_bias', true],
    ['tie_lm_head', true],
    ['quantization', 'awq'],
    ['hidden_activation', 'gelu_pytorch_tanh'],
  ])('%s = %j is refused by name, with a way out', (field, value) => {
    const error = refusal({ ...LLAMA, [field]: value });
    expect(error.code).toBe('MODEL_UNSUPPORTED');
    expect(error.detail).toContain(`config.json: ${field} is ${shown(value)}`);
    expect(error.detail).toContain('Llama');
    expect(error.remedy).toContain('delete it from config.json');
  });

  it.each<[string, unknown]>([
    ['attention_multiplier', 1],
    ['logits_scaling', 1],
    ['embedding_multiplier', null],
    ['final_logit_softcapping', null],
    ['layer_types', ['full_attention', 'full_attention']],
    ['num_local_experts', 0],
    ['use_qk_norm', false],
    ['no_rope_layers', []],
    ['sliding_window', null],
    ['quantization_config', {}],
    ['attention_dropout', 0.1],
    ['_attn_implementation_autoset', true],
    ['attn_implementation', 'flash_attention_2'],
    ['use_flash_attn', true],
    ['output_attentions', true],
    ['unsloth_version', '2025.1'],
    ['eos_token_id', [1, 2]],
    ['task_specific_params', { 'text-generation': { do_sample: true } }],
    ['transformers.js_config', { dtype: 'q4' }],
  ])('%s = %j changes nothing', (field, value) => {
    expect(parse({ ...LLAMA, [field]: value })).toEqual(parse(LLAMA));
  });

  it('zero is not off where 1 is', () => {
    expect(refusal({ ...LLAMA, residual_multiplier: 0 }).code).toBe('MODEL_UNSUPPORTED');
  });
});

describe('refused as malformed, naming the field and what was expected', () => {
  const required = (json: object, fields: readonly string[]): [string, object][] =>
    fields.map((field) => [field, { ...json, [field]: undefined }]);

  it.each([
    ...required(LLAMA, [
      'model_type',
      'vocab_size',
      'hidden_size',
      'intermediate_size',
      'num_hidden_layers',
      'num_attention_heads',
      'max_position_embeddings',
    ]),
    ...required(GPT2, ['vocab_size', 'n_embd', 'n_layer', 'n_head']),
    ['n_positions', { ...GPT2, n_positions: undefined, n_ctx: undefined }] as [string, object],
  ])('%s is missing', (field, json) => {
    const error = refusal(json);
    expect(error.code).toBe('MODEL_CONFIG');
    expect(error.detail).toBe(`config.json: ${field} is missing.`);
    expect(error.remedy).toMatch(/^It must be /);
  });

  it.each<[string, unknown]>([
    ['hidden_size', '576'],
    ['hidden_size', -576],
    ['hidden_size', 0],
    ['hidden_size', 1.5],
    ['hidden_size', null],
    ['hidden_size', [576]],
    ['vocab_size', 1e308],
    ['vocab_size', Infinity],
    ['vocab_size', 2 ** 31],
    ['num_hidden_layers', 1e9],
    ['num_key_value_heads', 2],
    ['num_key_value_heads', 'three'],
    ['head_dim', 63],
    ['rms_norm_eps', 0],
    ['rms_norm_eps', '1e-5'],
    ['rms_norm_eps', NaN],
    ['rope_theta', -1],
    ['rope_scaling', 'linear'],
    ['rope_scaling', [1]],
    ['tie_word_embeddings', 'true'],
    ['attention_bias', 1],
    ['hidden_act', 7],
    ['model_type', 3],
  ])('%s = %j', (field, value) => {
    const error = refusal({ ...LLAMA, [field]: value });
    expect(error.code).toBe('MODEL_CONFIG');
    expect(error.detail).toContain(`config.json: ${field} is `);
    expect(error.remedy).toMatch(/^It must be /);
  });

  it('refuses sizes that do not divide', () => {
    expect(refusal({ ...GPT2, n_head: 5 })).toMatchObject({ code: 'MODEL_CONFIG', remedy: 'It must be a divisor of n_embd (768).' });
    expect(refusal({ ...LLAMA, num_attention_heads: 5, num_key_value_heads: 5 }).remedy).toContain('a divisor of hidden_size (576)');
    expect(refusal({ ...LLAMA, hidden_size: 81, num_key_value_heads: 9 }).detail).toContain('hidden_size / num_attention_heads is 9');
  });

  it.each([null, 3, 'x', [], true])('top level %j', (json) => {
    expect(refusal(json).code).toBe('MODEL_CONFIG');
  });
});

describe('hostile input', () => {
  it('does not look at prototypes', () => {
    const text = JSON.stringify({ ...LLAMA, vocab_size: undefined }).replace('{', '{"__proto__":{"vocab_size":10},');
    expect(refusal(JSON.parse(text)).detail).toContain('vocab_size is missing');
    expect(refusal({ ...LLAMA, model_type: 'constructor' }).code).toBe('MODEL_UNSUPPORTED');
  });

  it('prints untrusted values as one short line', () => {
    const error = refusal({ ...LLAMA, model_type: `a\n\u001b[31m\u2028\u009b${'x'.repeat(10_000)}` });
    expect(error.detail.length).toBeLessThan(200);
    // eslint-disable-next-line no-control-regex
    expect(error.detail).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
    expect(shown(undefined)).toBe('undefined');
    const deep = JSON.parse('['.repeat(20_000) + ']'.repeat(20_000)) as unknown;
    expect(() => parseModelConfig({ model_type: deep }, 'config.json')).toThrow(expect.objectContaining({ code: 'MODEL_CONFIG' }));
  });

  it('ends every mutated config as a shape or an AppError', () => {
    const keys = [
      ...new Set([...Object.keys(LLAMA), ...Object.keys(GPT2), 'rope_parameters', 'head_dim', 'layer_types', 'experts', '__proto__']),
    ];
    const value = fc.oneof(fc.jsonValue(), fc.double(), fc.constantFrom('gpt2', 'llama', 'mistral', 'qwen2', 'qwen3', 1, 2, 2 ** 53, -0));
    const change = fc.dictionary(fc.constantFrom(...keys), value, { maxKeys: 3 });
    fc.assert(
      fc.property(fc.constantFrom(LLAMA, GPT2), change, (base, changes) => {
        try {
          const shape = parse({ ...base, ...changes });
          expect(Number.isSafeInteger(shape.vocab * shape.width) && shape.headDim >= 1 && shape.heads % shape.kvHeads === 0).toBe(true);
        } catch (thrown) {
          if (!(thrown instanceof AppError)) throw thrown;
        }
      }),
      { numRuns: 2000 },
    );
  });
});
