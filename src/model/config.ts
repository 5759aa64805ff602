// config.json of a Hugging Face model → ModelShape, through the family's description in config-families.ts. A setting that
// changes the maths and is not implemented is refused by name and never ignored, even if the family does not have it. A missing
// or malformed setting is named together with what was expected. Dropout settings are ignored: fine-tuning runs without
// dropout. `architectures` is not read either: what a checkpoint really holds is checked tensor by tensor when it is opened.

import { AppError } from '../base/errors';
import { FAMILIES, type Family } from './config-families';
import type { ModelShape, FamilyName } from './types';
import { Fields, isEmpty, shown } from './config-fields';
import { readRopes } from './config-rope';
import { readWindow } from './config-window';
import { bf16ToF32, f16ToF32, narrow } from '../base/half';

export { shown };

/** Upper bounds of sizes. They keep every element count an exact integer and every table small; real models are far below. */
const LIMIT = { vocab: 2 ** 24, width: 2 ** 20, layers: 1024, heads: 2 ** 16, ff: 2 ** 24, positions: 2 ** 31 - 1 };

/** Settings of every Hugging Face config that must be off. */
const OFF = ['is_encoder_decoder', 'tie_encoder_decoder', 'add_cross_attention'];
/** Settings that must be empty. auto_map: the model brings its own code. */
const EMPTY = ['quantization_config', 'pruned_heads', 'auto_map'];

/** Names that suggest that a setting changes what a model computes; the name is all we know of an unknown field. */
const MATHS = new RegExp(
  'scal|multiplier|logit|soft_?cap|window|sliding|rope|rotary|alibi|norm|bias|attn|attention|expert|moe|router|layer_types|' +
    'activation|hidden_act|residual|parallel|sparse|quant|clip|chunk|sink|adapter|lora|qk_|glu|ntk|yarn|multi_query|' +
    'position_embedding_type|^tie_',
);
/** Exceptions that do not affect the logits: dropout, implementations, outputs, a classifier's head. */
const HARMLESS = /^_|^summary_|dropout|_pdrop$|flash|^attn_implementation$|^output_/;

/** Throws MODEL_CONFIG (a field is missing or malformed) or MODEL_UNSUPPORTED (a field asks for maths that is not implemented). */
export function parseModelConfig(json: unknown, file: string): ModelShape {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new AppError(
      'MODEL_CONFIG',
      `${file}: found ${shown(json)} at the top level.`,
      'It must be a JSON object, as Hugging Face writes it.',
    );
  }
  const f = new Fields(json, file);
  const name = f.text('model_type', `one of ${Object.keys(FAMILIES).join(', ')}`);
  if (name === 'gemma3') {
    throw new AppError(
      'MODEL_UNSUPPORTED',
      `${file}: model_type is "gemma3", a language model with a vision tower, which is not implemented.`,
      'Choose a Gemma 3 of text alone (model_type "gemma3_text"), such as gemma-3-270m or gemma-3-1b.',
    );
  }
  if (!isFamily(name)) {
    const known = Object.entries(FAMILIES).map(([type, { label }]) => `${label} ("${type}")`);
    throw new AppError('MODEL_UNSUPPORTED', `${file}: model_type is ${shown(name)}.`, `Supported model types: ${known.join(', ')}.`);
  }
  const family: Family = FAMILIES[name];
  refuseSettings(f, family);
  const shape = readShape(f, name, family);
  for (const [field, value] of f.unread()) {
    if (MATHS.test(field) && !HARMLESS.test(field) && !isOff(field, value)) throw f.unknown(field, value, family.label);
  }
  return shape;
}

const isFamily = (name: string): name is FamilyName => Object.hasOwn(FAMILIES, name);

function refuseSettings(f: Fields, { only = {}, idle = [], empty = [], rotary }: Family): void {
  for (const name of OFF) f.only(name, [false], false);
  for (const name of [...EMPTY, ...empty]) {
    const value = f.get(name);
    if (value !== undefined && !isEmpty(value)) throw f.unsupported(name, value, 'null or absent');
  }
  if (rotary) f.only('partial_rotary_factor', [1], 1);
  for (const [name, values] of Object.entries(only)) f.only(name, values, values[0]);
  for (const name of idle) f.get(name);
}

function readShape(f: Fields, name: FamilyName, family: Family): ModelShape {
  const { fields, required = [], bias, rotary, queryScalar, factors } = family;
  const width = f.size(fields.width, LIMIT.width);
  const heads = f.size(fields.heads, LIMIT.heads);
  const kvHeads = fields.kvHeads === null ? heads : f.size(fields.kvHeads, LIMIT.heads, required.includes('kvHeads') ? undefined : heads);
  if (heads % kvHeads !== 0) throw f.garbage(fields.kvHeads!, kvHeads, `a divisor of ${fields.heads} (${heads})`);
  const positions = f.size(fields.positions.find((field) => f.has(field)) ?? fields.positions[0], LIMIT.positions);
  const layers = f.size(fields.layers, LIMIT.layers);
  const headDim = readHeadDim(f, family, width, heads);
  const ropes = rotary ? readRopes(f, family) : { rope: null, local: null };
  const activation = f.only(fields.activation, Object.keys(family.activations), Object.keys(family.activations)[0]);
  const has = (said: boolean | string): boolean => (typeof said === 'string' ? f.flag(said, false) : said);
  const factor = (field: string | undefined): number => (field === undefined ? 1 : f.number(field, 1e6, 1));
  return {
    family: name,
    style: family.style,
    vocab: f.size('vocab_size', LIMIT.vocab),
    width,
    layers,
    heads,
    kvHeads,
    headDim,
    ff: f.size(fields.ff, LIMIT.ff, family.style === 'gpt2' ? 4 * width : undefined),
    maxPositions: positions,
    norm: family.norm,
    normEps: f.number(fields.normEps, 1, family.normEps),
    normOffset: family.normOffset ?? 0,
    sandwich: family.sandwich ?? false,
    activation: family.activations[activation],
    rope: ropes.rope,
    window: readWindow(f, family, { layers, positions, local: ropes.local }),
    ropeless: readRopeless(f, family, layers),
    attentionScale: factors
      ? factor(factors.attention)
      : 1 / Math.sqrt(queryScalar ? f.number(queryScalar.field, LIMIT.width, queryScalar.absent) : headDim),
    embeddingScale: family.rootEmbedding ? rootOfWidth(f, width) : factor(factors?.embedding),
    residualScale: factor(factors?.residual),
    logitScale: 1 / factor(factors?.logits),
    logitCap: family.logitCap !== undefined && f.has(family.logitCap) ? f.number(family.logitCap, 1e6) : null,
    tied: f.flag('tie_word_embeddings', family.tied),
    qkNorm: family.qkNorm ?? false,
    qkvBias: has(bias.qkv),
    attentionOutBias: has(bias.attentionOut),
    mlpBias: has(bias.mlp),
  };
}

function readHeadDim(f: Fields, { fields, required = [], rotary }: Family, width: number, heads: number): number {
  const field = fields.headDim;
  const given = field !== null && (f.has(field) || required.includes('headDim'));
  if (!given && width % heads !== 0) {
    throw f.garbage(fields.heads, heads, `a divisor of ${fields.width} (${width})${field === null ? '' : `, since ${field} is not given`}`);
  }
  const headDim = given ? f.size(field, LIMIT.width) : width / heads;
  if (rotary && headDim % 2 !== 0) {
    throw f.garbage(given ? field : `${fields.width} / ${fields.heads}`, headDim, 'an even number (rotary embeddings turn pairs)');
  }
  return headDim;
}

/** Layers without positions. */
function readRopeless(f: Fields, { ropeless }: Family, layers: number): number[] {
  if (!ropeless) return [];
  const every = f.size(ropeless.every, LIMIT.layers, ropeless.absent);
  const all = Array.from({ length: layers }, (_, layer) => layer);
  if (!f.has(ropeless.list)) return all.filter((layer) => (layer + 1) % every === 0);
  const listed = f.get(ropeless.list);
  if (!Array.isArray(listed) || listed.length !== layers || !listed.every((has) => has === 0 || has === 1))
    throw f.garbage(ropeless.list, listed, `a list of ${layers} times 1 or 0`);
  return all.filter((layer) => listed[layer] === 0);
}

/**
 * √width as transformers multiplies embeddings by it: in the type that the file declares for the weights. Older files call it torch_dtype;
 * without it, weights are f32.
 */
function rootOfWidth(f: Fields, width: number): number {
  const type = f.get('dtype') ?? f.get('torch_dtype');
  const root = Float32Array.of(Math.sqrt(width));
  if (type === 'bfloat16') return bf16ToF32(narrow(root, 'bf16'))[0];
  return type === 'float16' ? f16ToF32(narrow(root, 'f16'))[0] : root[0];
}

/** A value that never changes the maths, whatever the field. */
function isOff(name: string, value: unknown): boolean {
  if (typeof value === 'number') return value === (/multiplier|scal|factor/.test(name) ? 1 : 0);
  if (name === 'layer_types' && Array.isArray(value)) return value.every((kind) => kind === 'full_attention');
  return value === false || value === '' || isEmpty(value);
}
