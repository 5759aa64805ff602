// Matches the tensors of a checkpoint with the rows of the parameter table, and reports every way in which the two can
// disagree. Checkpoints are written with and without the prefix of the base model ('transformer.', 'model.'): one style per
// file, kept for the export. A tensor that the model does not use is refused, because it would change the maths, unless it is
// known not to be a parameter.

import { AppError } from '../../base/errors';
import { shown } from '../../model/config';
import { FAMILIES } from '../../model/config-families';
import type { ModelShape, ParameterRow } from '../../model/types';
import { readableDtype, type TensorEntry } from '../formats/safetensors';

/** A tensor and the file it lies in. */
export interface StoredTensor extends TensorEntry {
  readonly file: string;
}

const PREFIX = { gpt2: 'transformer.', llama: 'model.' } as const;

/** Buffers that old versions saved and that Hugging Face does not load: causal masks and rotary frequencies. */
const BUFFERS = {
  gpt2: /^(transformer\.)?h\.\d+\.attn\.(bias|masked_bias)$/,
  llama: /^(model\.)?(layers\.\d+\.self_attn\.)?rotary_emb\.inv_freq$/,
} as const;

/** True for a stored tensor that is not a parameter, and for the head of a tied model (Hugging Face replaces it by the embedding). */
export const isIgnored = (name: string, s: ModelShape): boolean => BUFFERS[s.style].test(name) || (s.tied && name === 'lm_head.weight');

/**
 * Every row's tensor, by row name. Throws TENSOR_MISSING, TENSOR_SHAPE, TENSOR_DTYPE, MODEL_CONFIG or MODEL_UNSUPPORTED,
 * naming the tensor.
 */
export function matchTensors(
  s: ModelShape,
  table: readonly ParameterRow[],
  stored: ReadonlyMap<string, StoredTensor>,
): Map<string, StoredTensor> {
  const prefix = PREFIX[s.style];
  const bare = (name: string): string => (name.startsWith(prefix) ? name.slice(prefix.length) : name);
  const first = table[0].name;
  const prefixed = stored.has(first) || !stored.has(bare(first));
  const matched = new Map<string, StoredTensor>();
  const used = new Set<string>();

  for (const row of table) {
    const name = prefixed ? row.name : bare(row.name);
    const tensor = stored.get(name);
    if (!tensor) throw missing(name, row, s, stored);
    if (tensor.shape.join() !== row.shape.join()) throw wrongShape(tensor, row, s);
    readableDtype(tensor, tensor.file);
    matched.set(row.name, tensor);
    used.add(name);
  }
  for (const tensor of stored.values()) {
    if (!used.has(tensor.name) && !isIgnored(tensor.name, s)) throw unexpected(tensor, s);
  }
  return matched;
}

const layerOf = (name: string): number | null => {
  const match = /^(?:transformer\.h|h|model\.layers|layers)\.(\d{1,9})\./.exec(name);
  return match ? Number(match[1]) : null;
};

const layersField = (s: ModelShape): string => FAMILIES[s.family].fields.layers;

/** The field that says whether a linear has this bias; null if the family always or never has it. */
function biasField(name: string, s: ModelShape): string | null {
  const { qkv, attentionOut, mlp } = FAMILIES[s.family].bias;
  const said = name.includes('mlp.') ? mlp : name.includes('.o_proj.') ? attentionOut : qkv;
  return typeof said === 'string' ? said : null;
}

function missing(name: string, row: ParameterRow, s: ModelShape, stored: ReadonlyMap<string, StoredTensor>): AppError {
  let layers = 0;
  for (const key of stored.keys()) layers = Math.max(layers, (layerOf(key) ?? -1) + 1);
  const remedy = (): string => {
    if (row.role === 'head')
      return 'If the head is the embedding matrix, set "tie_word_embeddings": true in config.json; else use a checkpoint of the whole language model.';
    if (row.layer !== null && row.layer >= layers && layers > 0) {
      return `The files hold layers 0 to ${layers - 1}, but config.json says ${layersField(s)} = ${s.layers}: use the config.json that belongs to these weights.`;
    }
    const field = row.role === 'bias' && biasField(row.name, s);
    if (field) return `config.json says ${field} = true: use the config.json that belongs to these weights.`;
    return 'Use a complete checkpoint, with the config.json that belongs to it.';
  };
  return new AppError('TENSOR_MISSING', `Tensor ${shown(name)} is not in the model's files.`, remedy());
}

function wrongShape(tensor: StoredTensor, row: ParameterRow, s: ModelShape): AppError {
  const detail = `${tensor.file}: tensor ${shown(tensor.name)} has shape ${shown(tensor.shape)}, but config.json asks for ${shown(row.shape)}.`;
  const sameRank = tensor.shape.length === row.shape.length;
  if (sameRank && tensor.shape.length === 2 && tensor.shape[0] === row.shape[1] && tensor.shape[1] === row.shape[0]) {
    return new AppError(
      'TENSOR_SHAPE',
      detail,
      'It is stored transposed: use a checkpoint in the layout in which Hugging Face saves this model family.',
    );
  }
  const at = sameRank ? tensor.shape.findIndex((size, i) => size !== row.shape[i]) : 0;
  return new AppError('TENSOR_SHAPE', detail, `Probably ${dimensionFields(row, s)[at]} in config.json does not belong to these weights.`);
}

/** The config.json fields that each dimension of a row comes from. */
function dimensionFields(row: ParameterRow, s: ModelShape): readonly string[] {
  if (s.style === 'gpt2') {
    if (row.role === 'embedding' || row.role === 'head') return ['vocab_size', 'n_embd'];
    if (row.role === 'position') return ['n_positions', 'n_embd'];
    if (row.local.startsWith('mlp.c_fc')) return row.role === 'bias' ? ['n_inner'] : ['n_embd', 'n_inner'];
    return row.local === 'mlp.c_proj.weight' ? ['n_inner', 'n_embd'] : ['n_embd', 'n_embd'];
  }
  const local = row.local.replace(/^(self_attn|mlp)\./, '');
  if (row.role === 'embedding' || row.role === 'head') return ['vocab_size', 'hidden_size'];
  if (local.startsWith('q_proj')) return ['num_attention_heads or head_dim', 'hidden_size'];
  if (/^[kv]_proj/.test(local)) return ['num_key_value_heads or head_dim', 'hidden_size'];
  if (/^[qk]_norm/.test(local)) return ['head_dim'];
  if (/^(gate|up)_proj/.test(local)) return ['intermediate_size', 'hidden_size'];
  if (local === 'o_proj.weight') return ['hidden_size', 'num_attention_heads or head_dim'];
  return local === 'down_proj.weight' ? ['hidden_size', 'intermediate_size'] : ['hidden_size'];
}

function unexpected({ name, file }: StoredTensor, s: ModelShape): AppError {
  const layer = layerOf(name);
  if (layer !== null && layer >= s.layers) {
    const detail = `${file}: tensor ${shown(name)} belongs to layer ${layer}, but config.json says ${layersField(s)} = ${s.layers} (layers 0 to ${s.layers - 1}).`;
    return new AppError('MODEL_CONFIG', detail, 'Use the config.json that belongs to these weights.');
  }
  const field = /_proj\.bias$/.test(name) ? biasField(name, s) : null;
  const { label } = FAMILIES[s.family];
  const why = field
    ? `is a bias, but config.json says ${field} = false`
    : `is not part of a ${label} language model as config.json describes it`;
  return new AppError(
    'MODEL_UNSUPPORTED',
    `${file}: tensor ${shown(name)} ${why}; without it the model would compute something else.`,
    `Use a plain ${label} checkpoint with the config.json that belongs to it.`,
  );
}
