// What a GGUF file says of its model, as config.json: the families that keep their Hugging Face names in llama.cpp.

import { AppError } from '../../base/errors';
import { ropeFrequencies } from '../../model/rope';
import type { GgufHead, GgufItem } from '../formats/gguf-read';

type GgufFamily = 'llama' | 'qwen2' | 'qwen3';
const FAMILIES: readonly string[] = ['llama', 'qwen2', 'qwen3'] satisfies GgufFamily[];

export function refuseGguf(name: string, reason: string): AppError {
  return new AppError('MODEL_UNSUPPORTED', `${name} cannot be trained from: ${reason}.`, 'Get the model in Hugging Face layout.');
}

/** A typed look at the metadata. Throws MODEL_CONFIG where a value is missing or of another kind. */
export class GgufKeys {
  constructor(
    readonly name: string,
    readonly metadata: GgufHead['metadata'],
  ) {}

  #of<T extends GgufItem>(key: string, is: (value: GgufItem) => value is T, what: string): T | undefined {
    const value = this.metadata.get(key);
    if (value === undefined || is(value)) return value;
    throw new AppError('MODEL_CONFIG', `${this.name}: ${key} is not ${what}.`, 'Get the file again.');
  }

  number(key: string): number | undefined {
    return this.#of(key, (value): value is number => typeof value === 'number' && Number.isFinite(value), 'a number');
  }

  text(key: string): string | undefined {
    return this.#of(key, (value): value is string => typeof value === 'string', 'a text');
  }

  flag(key: string): boolean | undefined {
    return this.#of(key, (value): value is boolean => typeof value === 'boolean', 'true or false');
  }

  texts(key: string): readonly string[] | undefined {
    return this.#of(
      key,
      (value): value is readonly string[] => Array.isArray(value) && value.every((item) => typeof item === 'string'),
      'a list of texts',
    );
  }

  numbers(key: string): readonly number[] | undefined {
    return this.#of(
      key,
      (value): value is readonly number[] => Array.isArray(value) && value.every((item) => typeof item === 'number'),
      'a list of numbers',
    );
  }

  needed<T>(value: T | undefined, key: string): T {
    if (value !== undefined) return value;
    throw new AppError('MODEL_CONFIG', `${this.name} has no ${key}.`, 'Get the file again.');
  }
}

export function ggufFamily(keys: GgufKeys): GgufFamily {
  const family = keys.needed(keys.text('general.architecture'), 'general.architecture');
  if (!FAMILIES.includes(family)) throw refuseGguf(keys.name, `its architecture is ${family}; ${FAMILIES.join(', ')} can be`);
  return family as GgufFamily;
}

/** `ropeFactors`: the tensor rope_freqs.weight, if there is one. */
export function ggufConfig(keys: GgufKeys, { tensors }: GgufHead, ropeFactors: Float32Array | null): Record<string, unknown> {
  const family = ggufFamily(keys);
  const need = (key: string): number => keys.needed(keys.number(`${family}.${key}`), `${family}.${key}`);
  const heads = need('attention.head_count');
  const embedding = keys.needed(tensors.get('token_embd.weight'), 'tensor token_embd.weight');
  const theta = keys.number(`${family}.rope.freq_base`) ?? 10_000;
  const headDim = keys.number(`${family}.attention.key_length`) ?? need('embedding_length') / heads;
  const rotated = keys.number(`${family}.rope.dimension_count`);
  if (rotated !== undefined && rotated !== headDim) throw refuseGguf(keys.name, 'only a part of each head is rotated');
  if ((keys.number(`${family}.expert_count`) ?? 0) > 0) throw refuseGguf(keys.name, 'it has experts');
  for (const scale of ['logit_scale', 'residual_scale', 'embedding_scale', 'attention.scale'])
    if ((keys.number(`${family}.${scale}`) ?? 0) !== 0) throw refuseGguf(keys.name, `it has ${scale}`);
  return {
    model_type: family,
    architectures: [{ llama: 'LlamaForCausalLM', qwen2: 'Qwen2ForCausalLM', qwen3: 'Qwen3ForCausalLM' }[family]],
    vocab_size: embedding.shape[0],
    hidden_size: need('embedding_length'),
    intermediate_size: need('feed_forward_length'),
    num_hidden_layers: need('block_count'),
    num_attention_heads: heads,
    num_key_value_heads: keys.number(`${family}.attention.head_count_kv`) ?? heads,
    head_dim: headDim,
    max_position_embeddings: need('context_length'),
    rms_norm_eps: asWritten(need('attention.layer_norm_rms_epsilon')),
    rope_theta: asWritten(theta),
    rope_scaling: ropeScaling(keys, family, theta, headDim, ropeFactors),
    hidden_act: 'silu',
    tie_word_embeddings: !tensors.has('output.weight'),
    ...(family === 'llama' && { attention_bias: tensors.has('blk.0.attn_q.bias'), mlp_bias: tensors.has('blk.0.ffn_gate.bias') }),
  };
}

/** The shortest decimal that is this f32: 1e-5 rather than 0.000009999999747378752. */
const asWritten = (value: number): number => {
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === Math.fround(value)) return short;
  }
  return value;
};

/** Factors that published models of Llama 3.1 to 3.3 have. */
const LLAMA3_FACTORS = [8, 32, 16, 4, 2, 64];

function ropeScaling(keys: GgufKeys, family: string, theta: number, headDim: number, factors: Float32Array | null): unknown {
  const type = keys.text(`${family}.rope.scaling.type`) ?? 'none';
  const factor = keys.number(`${family}.rope.scaling.factor`);
  if (type !== 'none' && type !== 'linear') throw refuseGguf(keys.name, `its rotary positions are scaled as ${type}`);
  if (!factors) return type === 'linear' && factor !== undefined && factor !== 1 ? { rope_type: 'linear', factor } : null;
  const original = { lowFreqFactor: 1, highFreqFactor: 4, originalPositions: 8192 };
  const plain = ropeFrequencies({ theta, scaling: null }, headDim);
  const fits = LLAMA3_FACTORS.find((candidate) => {
    const scaled = ropeFrequencies({ theta, scaling: { type: 'llama3', factor: candidate, ...original } }, headDim);
    return factors.length === plain.length && factors.every((value, i) => Math.abs(value / (plain[i] / scaled[i]) - 1) < 1e-5);
  });
  if (fits === undefined || type !== 'none') throw refuseGguf(keys.name, 'its rotary positions are scaled in an unknown way (rope_freqs)');
  return { rope_type: 'llama3', factor: fits, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 8192 };
}
