// @ts-check
// Tiny models in Hugging Face layout for digests.mjs: seeded weights, odd sizes, and a tokenizer that spells every byte
// as a token of its own. They are made here and not by src/, so that two trees of the project get the same bytes.

import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** @typedef {'F32' | 'F16' | 'BF16'} Dtype */
/** @typedef {{ name: string, shape: readonly number[] }} Tensor */
/** @typedef {{ config: Record<string, unknown>, tensors: readonly Tensor[] }} Description */

/** Three special tokens, 256 bytes, and some ids that occur in no text. */
const VOCAB = 269;
const LAYERS = 4;
const POSITIONS = 64;
const TOKENS = { bos_token_id: 0, eos_token_id: 2 };

/** @type {(name: string, ...shape: number[]) => Tensor} */
const tensor = (name, ...shape) => ({ name, shape });
/** @type {(make: (prefix: string) => Tensor[], prefix: string) => Tensor[]} */
const perLayer = (make, prefix) => Array.from({ length: LAYERS }, (_, layer) => make(`${prefix}.${layer}`)).flat();

/** Its matrices are stored as input × output. @returns {Description} */
export function gpt2(/** @type {{ width: number, ff: number }} */ { width, ff }) {
  const layer = (/** @type {string} */ p) => [
    tensor(`${p}.ln_1.weight`, width),
    tensor(`${p}.ln_1.bias`, width),
    tensor(`${p}.attn.c_attn.weight`, width, 3 * width),
    tensor(`${p}.attn.c_attn.bias`, 3 * width),
    tensor(`${p}.attn.c_proj.weight`, width, width),
    tensor(`${p}.attn.c_proj.bias`, width),
    tensor(`${p}.ln_2.weight`, width),
    tensor(`${p}.ln_2.bias`, width),
    tensor(`${p}.mlp.c_fc.weight`, width, ff),
    tensor(`${p}.mlp.c_fc.bias`, ff),
    tensor(`${p}.mlp.c_proj.weight`, ff, width),
    tensor(`${p}.mlp.c_proj.bias`, width),
  ];
  return {
    config: {
      architectures: ['GPT2LMHeadModel'],
      model_type: 'gpt2',
      vocab_size: VOCAB,
      n_embd: width,
      n_head: 3,
      n_layer: LAYERS,
      n_inner: ff,
      n_positions: POSITIONS,
      activation_function: 'gelu_new',
      layer_norm_epsilon: 1e-5,
      tie_word_embeddings: true,
      ...TOKENS,
    },
    tensors: [
      tensor('transformer.wte.weight', VOCAB, width),
      tensor('transformer.wpe.weight', POSITIONS, width),
      ...perLayer(layer, 'transformer.h'),
      tensor('transformer.ln_f.weight', width),
      tensor('transformer.ln_f.bias', width),
    ],
  };
}

/**
 * @typedef {object} RotaryModel a model of the Llama line
 * @property {string} type model_type
 * @property {string} architecture
 * @property {number} width
 * @property {number} ff
 * @property {number} heads
 * @property {number} kvHeads
 * @property {number} headDim
 * @property {boolean} tied the head is the embedding
 * @property {boolean} [qkNorm] queries and keys are normalised
 * @property {boolean} [qkvBias]
 * @property {Record<string, unknown>} [more] further fields of config.json
 */

/** @returns {Description} */
export function rotary(/** @type {RotaryModel} */ model) {
  const { type, architecture, width, ff, heads, kvHeads, headDim, tied, qkNorm = false, qkvBias = false, more = {} } = model;
  const [q, kv] = [heads * headDim, kvHeads * headDim];
  const layer = (/** @type {string} */ p) => [
    tensor(`${p}.input_layernorm.weight`, width),
    ...Object.entries({ q, k: kv, v: kv }).flatMap(([name, size]) => [
      tensor(`${p}.self_attn.${name}_proj.weight`, size, width),
      ...(qkvBias ? [tensor(`${p}.self_attn.${name}_proj.bias`, size)] : []),
      ...(qkNorm && name !== 'v' ? [tensor(`${p}.self_attn.${name}_norm.weight`, headDim)] : []),
    ]),
    tensor(`${p}.self_attn.o_proj.weight`, width, q),
    tensor(`${p}.post_attention_layernorm.weight`, width),
    tensor(`${p}.mlp.gate_proj.weight`, ff, width),
    tensor(`${p}.mlp.up_proj.weight`, ff, width),
    tensor(`${p}.mlp.down_proj.weight`, width, ff),
  ];
  return {
    config: {
      architectures: [architecture],
      model_type: type,
      vocab_size: VOCAB,
      hidden_size: width,
      intermediate_size: ff,
      num_hidden_layers: LAYERS,
      num_attention_heads: heads,
      num_key_value_heads: kvHeads,
      ...(type === 'qwen2' ? {} : { head_dim: headDim }),
      max_position_embeddings: POSITIONS,
      rms_norm_eps: 1e-5,
      rope_theta: 10000,
      hidden_act: 'silu',
      tie_word_embeddings: tied,
      ...TOKENS,
      ...more,
    },
    tensors: [
      tensor('model.embed_tokens.weight', VOCAB, width),
      ...perLayer(layer, 'model.layers'),
      tensor('model.norm.weight', width),
      ...(tied ? [] : [tensor('lm_head.weight', VOCAB, width)]),
    ],
  };
}

/** Numbers from 0 to 1 (mulberry32). @returns {() => number} */
function random(/** @type {number} */ seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The number as the dtype holds it. Values in 16 bits have at most 8 significant bits, so nothing is rounded. */
const ENCODE = {
  F32: (/** @type {DataView} */ view, /** @type {number} */ i, /** @type {number} */ value) => view.setFloat32(4 * i, value, true),
  BF16: (/** @type {DataView} */ view, /** @type {number} */ i, /** @type {number} */ value) =>
    view.setUint16(2 * i, bits(value) >>> 16, true),
  F16: (/** @type {DataView} */ view, /** @type {number} */ i, /** @type {number} */ value) => {
    const b = bits(value);
    const magnitude = value === 0 ? 0 : ((b & 0x7fffffff) >>> 13) - (112 << 10);
    view.setUint16(2 * i, ((b >>> 16) & 0x8000) | magnitude, true);
  },
};

function bits(/** @type {number} */ value) {
  return new Uint32Array(new Float32Array([value]).buffer)[0] ?? 0;
}

/** A tensor's bytes: norms around 1, everything else around 0. */
function tensorBytes(/** @type {Tensor} */ { name, shape }, /** @type {Dtype} */ dtype, /** @type {() => number} */ next) {
  const count = shape.reduce((product, size) => product * size, 1);
  const bytes = new Uint8Array(count * (dtype === 'F32' ? 4 : 2));
  const view = new DataView(bytes.buffer);
  const isNorm = /(norm|ln_\w)\.weight$/.test(name);
  for (let i = 0; i < count; i++) {
    const draw = 2 * next() - 1;
    const exact = isNorm ? 1 + Math.round(24 * draw) / 128 : Math.round(127 * draw) / 1024;
    const full = isNorm ? 1 + draw / 5 : draw / 8;
    ENCODE[dtype](view, i, dtype === 'F32' ? full : exact);
  }
  return bytes;
}

/** A .safetensors file. */
export function safetensors(/** @type {readonly Tensor[]} */ tensors, /** @type {Dtype} */ dtype, /** @type {number} */ seed) {
  const next = random(seed);
  const parts = tensors.map((tensor) => tensorBytes(tensor, dtype, next));
  /** @type {Record<string, unknown>} */
  const header = { __metadata__: { format: 'pt' } };
  let offset = 0;
  tensors.forEach(({ name, shape }, i) => {
    const end = offset + (parts[i]?.length ?? 0);
    header[name] = { dtype, shape, data_offsets: [offset, end] };
    offset = end;
  });
  const json = JSON.stringify(header);
  const text = Buffer.from(json.padEnd(Math.ceil(json.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, ...parts]);
}

/** Byte-level BPE without merges over GPT-2's alphabet of printable stand-ins; byte b is token 3 + b. */
function tokenizerJson() {
  const isPrintable = (/** @type {number} */ byte) => (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
  /** @type {Record<string, number>} */
  const vocab = {};
  let standIns = 0;
  for (let byte = 0; byte < 256; byte++) vocab[String.fromCodePoint(isPrintable(byte) ? byte : 256 + standIns++)] = 3 + byte;
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  return JSON.stringify({
    version: '1.0',
    added_tokens: ['<s>', '<unk>', '</s>'].map((content, id) => ({ id, content, ...flags })),
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: null,
    decoder: byteLevel,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      vocab,
      merges: [],
    },
  });
}

const TOKENIZER_CONFIG = JSON.stringify({
  bos_token: '<s>',
  eos_token: '</s>',
  unk_token: '<unk>',
  add_bos_token: false,
  tokenizer_class: 'GPT2TokenizerFast',
});

const TORCH_DTYPE = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' };

/** Writes the model as a folder that `--model` takes. */
export function writeModel(
  /** @type {string} */ folder,
  /** @type {Description} */ { config, tensors },
  /** @type {Dtype} */ dtype,
  /** @type {number} */ seed,
) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'config.json'), JSON.stringify({ ...config, torch_dtype: TORCH_DTYPE[dtype] }));
  writeFileSync(path.join(folder, 'model.safetensors'), safetensors(tensors, dtype, seed));
  writeFileSync(path.join(folder, 'tokenizer.json'), tokenizerJson());
  writeFileSync(path.join(folder, 'tokenizer_config.json'), TOKENIZER_CONFIG);
}

const WORDS = 'ash birch cedar elm fir hazel larch maple oak pine rowan spruce teak willow yew'.split(' ');

/** Rows of prompt and completion of many lengths, as JSON lines. */
export function dataRows(/** @type {number} */ count, /** @type {number} */ seed) {
  const next = random(seed);
  const words = (/** @type {number} */ most) =>
    Array.from({ length: 1 + Math.floor(next() * most) }, () => WORDS[Math.floor(next() * WORDS.length)]).join(' ');
  return Array.from({ length: count }, () => `${JSON.stringify({ prompt: words(2), completion: words(4) })}\n`).join('');
}
