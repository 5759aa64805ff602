// A model's shape and tensors in the terms of GGUF: the keys that describe it, and for every parameter the name, the
// layout and the order of rows that llama.cpp expects.

import { ropeFrequencies } from '../../model/rope';
import type { ModelShape, ParameterRow, Rope } from '../../model/types';
import type { GgufTensor, GgufValue } from '../../io/formats/gguf';
import type { GgufArchitecture } from './support';

/** Keys of the architecture; `arch.` stands before each. */
export function architectureKeys(shape: ModelShape, architecture: GgufArchitecture): Map<string, GgufValue> {
  const keys = new Map<string, GgufValue>();
  const u32 = (name: string, value: number): void => void keys.set(`${architecture}.${name}`, { type: 'u32', value });
  const f32 = (name: string, value: number): void => void keys.set(`${architecture}.${name}`, { type: 'f32', value });
  // Only Gemma 3's code lets the window slide; in other models a longer text would be computed without it.
  const slides = architecture === 'gemma3';
  u32('context_length', shape.window && !slides ? Math.min(shape.maxPositions, shape.window.size) : shape.maxPositions);
  if (shape.window && slides) u32('attention.sliding_window', shape.window.size);
  u32('embedding_length', shape.width);
  u32('block_count', shape.layers);
  u32('feed_forward_length', shape.ff);
  u32('attention.head_count', shape.heads);
  u32('attention.head_count_kv', shape.kvHeads);
  u32('vocab_size', shape.vocab);
  if (architecture === 'granite') {
    f32('attention.scale', shape.attentionScale);
    f32('embedding_scale', shape.embeddingScale);
    f32('residual_scale', shape.residualScale);
    f32('logit_scale', 1 / shape.logitScale);
  }
  if (shape.norm === 'rms') f32('attention.layer_norm_rms_epsilon', shape.normEps);
  else f32('attention.layer_norm_epsilon', shape.normEps);
  if (shape.rope) {
    u32('attention.key_length', shape.headDim);
    u32('attention.value_length', shape.headDim);
    u32('rope.dimension_count', shape.headDim);
    f32('rope.freq_base', shape.rope.theta);
    if (shape.rope.scaling?.type === 'linear') {
      keys.set(`${architecture}.rope.scaling.type`, { type: 'string', value: 'linear' });
      f32('rope.scaling.factor', shape.rope.scaling.factor);
    }
  }
  return keys;
}

/** What llama3's scaling divides the angle of each pair by, as the tensor that llama.cpp reads it from; null without. */
export function ropeFactors(rope: Rope | null, headDim: number): GgufTensor | null {
  if (rope?.scaling?.type !== 'llama3') return null;
  const scaled = ropeFrequencies(rope, headDim);
  const factors = Float32Array.from(ropeFrequencies({ ...rope, scaling: null }, headDim), (plain, i) => plain / scaled[i]);
  return { name: 'rope_freqs.weight', shape: [headDim / 2], type: 'f32', pieces: () => [factors] };
}

const LLAMA_NAMES: Readonly<Record<string, string>> = {
  'self_attn.q_proj': 'attn_q',
  'self_attn.k_proj': 'attn_k',
  'self_attn.v_proj': 'attn_v',
  'self_attn.o_proj': 'attn_output',
  'self_attn.q_norm': 'attn_q_norm',
  'self_attn.k_norm': 'attn_k_norm',
  'mlp.gate_proj': 'ffn_gate',
  'mlp.up_proj': 'ffn_up',
  'mlp.down_proj': 'ffn_down',
  input_layernorm: 'attn_norm',
  post_attention_layernorm: 'ffn_norm',
};

/** Gemma's names where they differ: its norm after attention is not the one before the feed-forward. */
const SANDWICH_NAMES: Readonly<Record<string, string>> = {
  post_attention_layernorm: 'post_attention_norm',
  pre_feedforward_layernorm: 'ffn_norm',
  post_feedforward_layernorm: 'post_ffw_norm',
};

const GPT2_NAMES: Readonly<Record<string, string>> = {
  'attn.c_attn': 'attn_qkv',
  'attn.c_proj': 'attn_output',
  'mlp.c_fc': 'ffn_up',
  'mlp.c_proj': 'ffn_down',
  ln_1: 'attn_norm',
  ln_2: 'ffn_norm',
};

const TOP_NAMES: Readonly<Record<string, string>> = {
  embed_tokens: 'token_embd',
  wte: 'token_embd',
  wpe: 'position_embd',
  norm: 'output_norm',
  ln_f: 'output_norm',
  lm_head: 'output',
};

/** The name of a projection or norm of a layer inside GGUF: 'self_attn.q_proj' → 'attn_q'. */
export const ggufPart = (local: string, sandwich = false): string | undefined =>
  (sandwich ? SANDWICH_NAMES[local] : undefined) ?? LLAMA_NAMES[local] ?? GPT2_NAMES[local];

/** 'model.layers.3.self_attn.q_proj.weight' → 'blk.3.attn_q.weight'. Undefined for a tensor that GGUF has no place for. */
export function ggufName(row: Pick<ParameterRow, 'local' | 'layer'>, { sandwich }: Pick<ModelShape, 'sandwich'>): string | undefined {
  const [, part, kind] = /^(.+)\.(weight|bias)$/.exec(row.local) ?? [];
  if (part === undefined) return undefined;
  const name = row.layer === null ? TOP_NAMES[part] : ggufPart(part, sandwich);
  return name === undefined ? undefined : `${row.layer === null ? '' : `blk.${row.layer}.`}${name}.${kind}`;
}

/** Rotary positions of neighbouring pairs, as llama.cpp's llama architecture has them, or of halves, as Hugging Face has. */
const wantsPairedRows = (architecture: GgufArchitecture): boolean =>
  architecture === 'llama' || architecture === 'smollm3' || architecture === 'granite';

/** Heads whose rows a tensor's are permuted by; null where rows stay. */
export function permutedHeads(row: Pick<ParameterRow, 'local'>, shape: ModelShape, architecture: GgufArchitecture): number | null {
  if (!wantsPairedRows(architecture)) return null;
  if (row.local.startsWith('self_attn.q_proj.')) return shape.heads;
  return row.local.startsWith('self_attn.k_proj.') ? shape.kvHeads : null;
}

/**
 * Rows of each head from halves (i, i + D/2) to neighbouring pairs (2i, 2i + 1). `data` has rows of `columns` values
 * (1 for a bias).
 */
export function pairRows(data: Float32Array, heads: number, columns: number): Float32Array {
  const dim = data.length / columns / heads;
  const half = dim / 2;
  const paired = new Float32Array(data.length);
  for (let head = 0; head < heads; head++) {
    for (let i = 0; i < dim; i++) {
      const from = head * dim + (i % 2 === 0 ? i / 2 : half + (i - 1) / 2);
      paired.set(data.subarray(from * columns, (from + 1) * columns), (head * dim + i) * columns);
    }
  }
  return paired;
}

/** [in, out] (GPT-2's Conv1D) to [out, in]. */
export function transposed(data: Float32Array, rows: number, columns: number): Float32Array {
  const turned = new Float32Array(data.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) turned[c * rows + r] = data[r * columns + c];
  return turned;
}
