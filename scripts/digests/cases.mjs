// @ts-check
// The models and runs of digests.mjs: every way to train, over every family that differs in what it computes.

import { gpt2, rotary } from './models.mjs';

/** @typedef {{ model: string, options: Record<string, string>, stopAfter?: number }} Case */

const LLAMA = { type: 'llama', architecture: 'LlamaForCausalLM', heads: 3, kvHeads: 1 };
const QWEN2 = { type: 'qwen2', architecture: 'Qwen2ForCausalLM', heads: 3, kvHeads: 1 };
const QWEN3 = { type: 'qwen3', architecture: 'Qwen3ForCausalLM', heads: 4, kvHeads: 2, headDim: 14 };

// Sizes that are not multiples of four, and, for weights that stay in 16 bits, sizes that are: only those rows are
// packed.
const GPT2_ODD = gpt2({ width: 30, ff: 50 });
const GPT2 = gpt2({ width: 36, ff: 52 });
const LLAMA_ODD = rotary({ ...LLAMA, width: 30, ff: 42, headDim: 10, tied: false });
const LLAMA_SIZES = { ...LLAMA, width: 36, ff: 52, headDim: 12 };

/** @type {Record<string, { description: import('./models.mjs').Description, dtype: import('./models.mjs').Dtype }>} */
export const MODELS = {
  gpt2: { description: GPT2_ODD, dtype: 'F32' },
  'gpt2-f16': { description: GPT2, dtype: 'F16' },
  llama: { description: LLAMA_ODD, dtype: 'F32' },
  'llama-bf16': { description: rotary({ ...LLAMA_SIZES, tied: false }), dtype: 'BF16' },
  'llama-tied-bf16': { description: rotary({ ...LLAMA_SIZES, tied: true }), dtype: 'BF16' },
  'qwen2-f16': { description: rotary({ ...QWEN2, width: 36, ff: 44, headDim: 12, tied: true, qkvBias: true }), dtype: 'F16' },
  qwen3: { description: rotary({ ...QWEN3, width: 34, ff: 46, tied: false, qkNorm: true }), dtype: 'F32' },
  'qwen3-tied-bf16': { description: rotary({ ...QWEN3, width: 36, ff: 52, tied: true, qkNorm: true }), dtype: 'BF16' },
};

/** Options of every run, unless its case overrides them. The warm-up is given, because its default is not part of the comparison. */
export const COMMON = {
  steps: '12',
  'seq-len': '24',
  'batch-size': '3',
  'lisa-layers': '2',
  'lisa-period': '2',
  lr: '0.01',
  warmup: '3',
  'eval-every': '5',
  'eval-split': '0.2',
  'save-every': '0',
};

// Fewer than half of the layers train at a time: with more, f32 takes no more memory and the run uses it.
const stored = { weights: 'stored', 'lisa-layers': '1' };
const full = { method: 'full' };
const lora = { method: 'lora', 'lora-rank': '3' };
const long = { steps: '21', 'lisa-period': '3', 'save-every': '8' };
const weights = { 'lisa-weights': '1,0.5,2,0.25' };

/** @type {Record<string, Case>} */
export const CASES = {
  'gpt2 lisa uniform drop': { model: 'gpt2', options: {} },
  'gpt2 lisa cycle park': { model: 'gpt2', options: { 'lisa-sampler': 'cycle', 'lisa-state': 'park' } },
  'gpt2 lisa bernoulli weights': { model: 'gpt2', options: { 'lisa-sampler': 'bernoulli', 'lisa-weights': '0.9,0.3,0.6,0.2' } },
  'gpt2 lisa rewarm decay linear': { model: 'gpt2', options: { 'lisa-rewarm': '2', 'weight-decay': '0.1', 'lr-schedule': 'linear' } },
  'gpt2 full': { model: 'gpt2', options: { ...full, 'grad-clip': '0.3' } },
  'gpt2 lora': { model: 'gpt2', options: lora },
  'gpt2-f16 lisa stored': { model: 'gpt2-f16', options: { ...stored, 'out-dtype': 'f16' } },
  'gpt2-f16 lora stored': { model: 'gpt2-f16', options: { ...stored, ...lora } },
  'llama lisa uniform park': { model: 'llama', options: { 'lisa-state': 'park' } },
  'llama lisa weighted': { model: 'llama', options: { 'lisa-sampler': 'weighted', ...weights } },
  'llama lisa layers alone': { model: 'llama', options: { 'lisa-train': 'none' } },
  'llama lisa head and norm': { model: 'llama', options: { 'lisa-train': 'head,norm' } },
  'llama lisa embedding': { model: 'llama', options: { 'lisa-train': 'embedding' } },
  'llama full accumulated': { model: 'llama', options: { ...full, 'grad-accum': '2' } },
  'llama lora': { model: 'llama', options: lora },
  'llama-bf16 lisa stored park': { model: 'llama-bf16', options: { ...stored, 'lisa-state': 'park', 'lisa-train': 'norm' } },
  'llama-tied-bf16 lisa stored': { model: 'llama-tied-bf16', options: stored },
  'llama-tied-bf16 lisa stored layers alone': { model: 'llama-tied-bf16', options: { ...stored, 'lisa-train': 'none' } },
  'llama-tied-bf16 full f32': { model: 'llama-tied-bf16', options: { ...full, weights: 'f32', 'out-dtype': 'bf16' } },
  'llama-tied-bf16 lora stored': { model: 'llama-tied-bf16', options: { ...stored, ...lora } },
  'qwen2-f16 lisa stored accumulated': { model: 'qwen2-f16', options: { ...stored, 'grad-accum': '2' } },
  'qwen2-f16 full': { model: 'qwen2-f16', options: full },
  'qwen3 lisa packed': { model: 'qwen3', options: { packing: 'on' } },
  'qwen3 full constant rate': { model: 'qwen3', options: { ...full, 'lr-schedule': 'constant', shuffle: 'off' } },
  'qwen3 lora': { model: 'qwen3', options: lora },
  'qwen3-tied-bf16 lisa stored bernoulli': { model: 'qwen3-tied-bf16', options: { ...stored, 'lisa-sampler': 'bernoulli' } },
  // The checkpoint of step 8 is in the middle of the period of steps 7 to 9; layers that are parked then come back later.
  'llama lisa park resumed': { model: 'llama', options: { ...long, 'lisa-state': 'park' }, stopAfter: 8 },
  'qwen3-tied-bf16 lisa stored resumed': { model: 'qwen3-tied-bf16', options: { ...stored, ...long }, stopAfter: 8 },
};
