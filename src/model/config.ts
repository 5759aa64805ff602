// config.json of a Hugging Face model → ModelShape. Two families are read: GPT-2 and Llama. A setting that changes
// the maths and is not implemented is refused by name, never ignored; a missing or malformed one is named together
// with what was expected. Defaults are those of the Hugging Face config classes (GPT2Config, LlamaConfig).
// Dropout settings (attn_pdrop, resid_pdrop, embd_pdrop, attention_dropout) are ignored: fine-tuning runs without dropout.
// `architectures` is not read either: what a checkpoint really holds is checked tensor by tensor when it is opened.

import { AppError } from '../errors';
import type { ModelShape } from './types';

/** Upper bounds of sizes. They keep every element count an exact integer and every table small; real models are far below. */
const LIMIT = { vocab: 2 ** 24, width: 2 ** 20, layers: 1024, heads: 2 ** 16, ff: 2 ** 24, positions: 2 ** 31 - 1 };

/** Any untrusted value as a short piece of one printable line. */
export function shown(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value));
  const line = text.replace(/[\u007f-\u009f\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return line.length > 120 ? `${line.slice(0, 117)}...` : line;
}

/** Throws MODEL_CONFIG (a field is missing or malformed) or MODEL_UNSUPPORTED (a field asks for maths that is not implemented). */
export function parseModelConfig(json: unknown, file: string): ModelShape {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new AppError(
      'MODEL_CONFIG',
      `${file}: found ${shown(json)} at the top level.`,
      'It must be a JSON object, as Hugging Face writes it.',
    );
  }
  const fields = new Fields(json, file);
  const family = fields.text('model_type', '"gpt2" or "llama"');
  if (family === 'gpt2') return gpt2(fields);
  if (family === 'llama') return llama(fields);
  throw new AppError(
    'MODEL_UNSUPPORTED',
    `${file}: model_type is ${shown(family)}.`,
    'Choose a model of the GPT-2 or Llama family (model_type "gpt2" or "llama").',
  );
}

function gpt2(f: Fields): ModelShape {
  common(f);
  f.only('scale_attn_weights', [true], true);
  f.only('scale_attn_by_inverse_layer_idx', [false], false);
  f.only('reorder_and_upcast_attn', [false], false);
  f.only('add_cross_attention', [false], false);
  const activation = f.only('activation_function', ['gelu_new', 'gelu_pytorch_tanh', 'gelu'], 'gelu_new');
  const width = f.size('n_embd', LIMIT.width);
  const heads = f.size('n_head', LIMIT.heads);
  if (width % heads !== 0) throw f.garbage('n_head', heads, `a divisor of n_embd (${width})`);
  return {
    family: 'gpt2',
    vocab: f.size('vocab_size', LIMIT.vocab),
    width,
    layers: f.size('n_layer', LIMIT.layers),
    heads,
    kvHeads: heads,
    headDim: width / heads,
    ff: f.size('n_inner', LIMIT.ff, 4 * width),
    // n_ctx is the older name; Hugging Face itself reads n_positions.
    maxPositions: f.size(f.has('n_positions') || !f.has('n_ctx') ? 'n_positions' : 'n_ctx', LIMIT.positions),
    norm: 'layer',
    normEps: f.number('layer_norm_epsilon', 1, 1e-5),
    activation: activation === 'gelu' ? 'gelu_erf' : 'gelu_tanh',
    rope: null,
    tied: f.flag('tie_word_embeddings', true),
    qkvBias: true,
    attentionOutBias: true,
    mlpBias: true,
  };
}

function llama(f: Fields): ModelShape {
  common(f);
  // 'swish' is the same function under its older name.
  f.only('hidden_act', ['silu', 'swish'], 'silu');
  f.only('pretraining_tp', [1], 1);
  f.only('partial_rotary_factor', [1], 1);
  const width = f.size('hidden_size', LIMIT.width);
  const heads = f.size('num_attention_heads', LIMIT.heads);
  const kvHeads = f.size('num_key_value_heads', LIMIT.heads, heads);
  if (heads % kvHeads !== 0) throw f.garbage('num_key_value_heads', kvHeads, `a divisor of num_attention_heads (${heads})`);
  const explicit = f.has('head_dim');
  if (!explicit && width % heads !== 0) {
    throw f.garbage('num_attention_heads', heads, `a divisor of hidden_size (${width}), since head_dim is not given`);
  }
  const headDim = f.size('head_dim', LIMIT.width, width / heads);
  if (headDim % 2 !== 0) {
    throw f.garbage(explicit ? 'head_dim' : 'hidden_size / num_attention_heads', headDim, 'an even number (rotary embeddings turn pairs)');
  }
  const attentionBias = f.flag('attention_bias', false);
  return {
    family: 'llama',
    vocab: f.size('vocab_size', LIMIT.vocab),
    width,
    layers: f.size('num_hidden_layers', LIMIT.layers),
    heads,
    kvHeads,
    headDim,
    ff: f.size('intermediate_size', LIMIT.ff),
    maxPositions: f.size('max_position_embeddings', LIMIT.positions),
    norm: 'rms',
    normEps: f.number('rms_norm_eps', 1, 1e-6),
    activation: 'swiglu',
    rope: { theta: ropeTheta(f) },
    tied: f.flag('tie_word_embeddings', false),
    // Llama's attention_bias is one switch for q, k, v and o.
    qkvBias: attentionBias,
    attentionOutBias: attentionBias,
    mlpBias: f.flag('mlp_bias', false),
  };
}

/** Settings of every Hugging Face config that change what the weights or the model mean. */
function common(f: Fields): void {
  f.only('is_encoder_decoder', [false], false);
  for (const name of ['quantization_config', 'pruned_heads']) {
    const value = f.get(name);
    const empty = typeof value === 'object' && (value === null || Object.keys(value).length === 0);
    if (value !== undefined && !empty) throw f.unsupported(name, value, 'null or absent');
  }
}

/**
 * Base of the rotary embeddings. Older files have rope_theta beside rope_scaling; newer ones put both into
 * rope_parameters {rope_theta, rope_type}. Every scaling (linear, dynamic, yarn, llama3, ...) is refused.
 */
function ropeTheta(f: Fields): number {
  const found: { readonly name: string; readonly value: number }[] = [];
  const take = (from: Fields, name: string): void => {
    if (from.has(name)) found.push({ name: from.path(name), value: from.number(name, 1e15) });
  };
  take(f, 'rope_theta');
  for (const name of ['rope_parameters', 'rope_scaling']) {
    const inner = f.object(name);
    if (!inner) continue;
    for (const key of ['rope_type', 'type']) inner.only(key, ['default'], 'default');
    const named = inner.has('rope_type') || inner.has('type');
    if (!named && inner.has('factor')) throw inner.garbage('rope_type', undefined, '"default", or the whole entry absent');
    inner.only('partial_rotary_factor', [1], 1);
    // An object in here is a set of parameters per kind of layer, which Llama does not have.
    for (const key of inner.keys()) {
      const value = inner.get(key);
      if (typeof value === 'object' && value !== null) throw inner.unsupported(key, value, 'absent');
    }
    take(inner, 'rope_theta');
  }
  const [first] = found;
  if (!first) return 10_000;
  const other = found.find(({ value }) => value !== first.value);
  if (other) throw f.garbage(other.name, other.value, `the same number as ${first.name} (${first.value})`);
  return first.value;
}

/** Typed access to the own properties of an untrusted object. */
class Fields {
  private readonly values: ReadonlyMap<string, unknown>;

  constructor(
    json: object,
    private readonly file: string,
    private readonly prefix = '',
  ) {
    // Own properties only: a key such as "constructor" is absent unless the file has it.
    this.values = new Map<string, unknown>(Object.entries(json));
  }

  path(name: string): string {
    return this.prefix + name;
  }

  keys(): IterableIterator<string> {
    return this.values.keys();
  }

  get(name: string): unknown {
    return this.values.get(name);
  }

  /** Present and not null. */
  has(name: string): boolean {
    return (this.get(name) ?? null) !== null;
  }

  garbage(name: string, value: unknown, expected: string): AppError {
    const found = value === undefined ? 'is missing' : `is ${shown(value)}`;
    return new AppError('MODEL_CONFIG', `${this.file}: ${this.path(name)} ${found}.`, `It must be ${expected}.`);
  }

  unsupported(name: string, value: unknown, expected: string): AppError {
    const detail = `${this.file}: ${this.path(name)} is ${shown(value)}, which changes the maths in a way that is not implemented.`;
    return new AppError('MODEL_UNSUPPORTED', detail, `Choose a model with ${this.path(name)} ${expected}.`);
  }

  text(name: string, expected: string): string {
    const value = this.get(name);
    if (typeof value !== 'string' || value === '') throw this.garbage(name, value, expected);
    return value;
  }

  /** A whole number from 1 to max. With a fallback, null and absence mean the fallback. */
  size(name: string, max: number, fallback?: number): number {
    const value = this.get(name);
    if (fallback !== undefined && !this.has(name)) return fallback;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > max)
      throw this.garbage(name, value, `a whole number from 1 to ${max}`);
    return value;
  }

  /** A number above 0 and at most max. */
  number(name: string, max: number, fallback?: number): number {
    const value = this.get(name) === undefined ? fallback : this.get(name);
    if (typeof value !== 'number' || !(value > 0 && value <= max)) throw this.garbage(name, value, `a number above 0 and at most ${max}`);
    return value;
  }

  flag(name: string, fallback: boolean): boolean {
    const value = this.get(name) === undefined ? fallback : this.get(name);
    if (typeof value !== 'boolean') throw this.garbage(name, value, 'true or false');
    return value;
  }

  /** One of the supported values, which all have the fallback's type: another type is malformed, another value unsupported. */
  only<T extends string | number | boolean>(name: string, allowed: readonly T[], fallback: T): T {
    const value = this.get(name) === undefined ? fallback : this.get(name);
    const match = allowed.find((candidate) => candidate === value);
    if (match !== undefined) return match;
    const expected = allowed.map((candidate) => shown(candidate)).join(' or ');
    throw typeof value === typeof fallback ? this.unsupported(name, value, expected) : this.garbage(name, value, expected);
  }

  object(name: string): Fields | null {
    const value = this.get(name);
    if ((value ?? null) === null) return null;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw this.garbage(name, value, 'an object, null or absent');
    return new Fields(value, this.file, `${this.path(name)}.`);
  }
}
