// The model families, one description each: which fields of config.json give the sizes, what is fixed, what is refused. What
// families share is written once. Defaults are those of the Hugging Face config classes; sizes have no defaults. What a layer
// computes follows from the ModelShape alone (layer-ops.ts, parameters.ts).

import type { FamilyName, ModelShape } from './types';

/** How a family says how far attention reaches back, and in which layers. */
export interface WindowFields {
  /** Of its size. `absent` is the value of a missing field; null switches the window off. */
  readonly field: string;
  readonly absent: number | null;
  /** A flag that must be true for the window to be used; false if it is missing. */
  readonly flag?: string;
  /** Its layers: all; those from the field's value on; or all but every n-th one, by the first of these fields. */
  readonly layers:
    'all' | { readonly from: string; readonly absent: number } | { readonly butEvery: readonly string[]; readonly absent: number };
  /** `layer_types` overrides that. */
  readonly typed?: true;
  /** Its layers have angles of their own, with this base. */
  readonly base?: { readonly field: string; readonly absent: number };
}

export interface Family {
  /** For people. */
  readonly label: string;
  readonly style: ModelShape['style'];
  /** Names of the fields of sizes; null: the family has none, kvHeads = heads and headDim = width / heads. */
  readonly fields: {
    readonly width: string;
    readonly layers: string;
    readonly heads: string;
    readonly kvHeads: string | null;
    readonly headDim: string | null;
    readonly ff: string;
    /** The current name, then older ones. */
    readonly positions: readonly string[];
    readonly normEps: string;
    readonly activation: string;
  };
  /** Sizes that other families derive if the field is absent, but this one does not. */
  readonly required?: readonly ('kvHeads' | 'headDim')[];
  readonly norm: ModelShape['norm'];
  readonly normEps: number;
  readonly normOffset?: 1;
  readonly sandwich?: true;
  /** Values of the activation's field; the first is the default. */
  readonly activations: Readonly<Record<string, ModelShape['activation']>>;
  readonly rotary: boolean;
  /** Base of the rotary angles if config.json has none. Default: 10,000. */
  readonly ropeBase?: number;
  readonly tied: boolean;
  /** Whether the linears have a bias, or the field that says so. */
  readonly bias: { readonly qkv: boolean | string; readonly attentionOut: boolean | string; readonly mlp: boolean | string };
  readonly qkNorm?: true;
  readonly window?: WindowFields;
  /** Scores are divided by the square root of this field, and not by that of the head dim. */
  readonly queryScalar?: { readonly field: string; readonly absent: number };
  /** Fields of factors that are 1 if they are missing: of embeddings, of the residual stream, of scores, and what logits are divided by. */
  readonly factors?: { readonly embedding: string; readonly residual: string; readonly attention: string; readonly logits: string };
  /** Lists 1 for a layer with positions and 0 for one without; without it, every n-th layer has none. */
  readonly ropeless?: { readonly list: string; readonly every: string; readonly absent: number };
  /** Embeddings are multiplied by √width, rounded to the type of the weights. */
  readonly rootEmbedding?: true;
  /** The field of the logits' cap; null or absent: none. */
  readonly logitCap?: string;
  /** Fields that must be null or absent. */
  readonly empty?: readonly string[];
  /** Fields whose other values are not implemented; the first value stands for an absent field. */
  readonly only?: Readonly<Record<string, readonly (number | boolean)[]>>;
  /** Fields without effect while those above are as they must be. */
  readonly idle?: readonly string[];
}

const GPT2: Family = {
  label: 'GPT-2',
  style: 'gpt2',
  fields: {
    width: 'n_embd',
    layers: 'n_layer',
    heads: 'n_head',
    kvHeads: null,
    headDim: null,
    ff: 'n_inner',
    positions: ['n_positions', 'n_ctx'],
    normEps: 'layer_norm_epsilon',
    activation: 'activation_function',
  },
  norm: 'layer',
  normEps: 1e-5,
  activations: { gelu_new: 'gelu_tanh', gelu_pytorch_tanh: 'gelu_tanh', gelu: 'gelu_erf' },
  rotary: false,
  tied: true,
  bias: { qkv: true, attentionOut: true, mlp: true },
  only: { scale_attn_weights: [true], scale_attn_by_inverse_layer_idx: [false], reorder_and_upcast_attn: [false] },
};

const LLAMA: Family = {
  label: 'Llama',
  style: 'llama',
  fields: {
    width: 'hidden_size',
    layers: 'num_hidden_layers',
    heads: 'num_attention_heads',
    kvHeads: 'num_key_value_heads',
    headDim: 'head_dim',
    ff: 'intermediate_size',
    positions: ['max_position_embeddings'],
    normEps: 'rms_norm_eps',
    activation: 'hidden_act',
  },
  norm: 'rms',
  normEps: 1e-6,
  // 'swish' is the same function under its older name.
  activations: { silu: 'swiglu', swish: 'swiglu' },
  rotary: true,
  tied: false,
  bias: { qkv: 'attention_bias', attentionOut: 'attention_bias', mlp: 'mlp_bias' },
  // In how many slices transformers takes the same products.
  idle: ['pretraining_tp'],
};

const MISTRAL: Family = {
  ...LLAMA,
  label: 'Mistral',
  required: ['kvHeads'],
  bias: { qkv: false, attentionOut: false, mlp: false },
  window: { field: 'sliding_window', absent: 4096, layers: 'all' },
};

/** Unused as a rule; then it may be there with its size. */
const UPPER_WINDOW: WindowFields = {
  field: 'sliding_window',
  absent: 4096,
  flag: 'use_sliding_window',
  layers: { from: 'max_window_layers', absent: 28 },
  typed: true,
};

/** Qwen2 and Qwen2.5. */
const QWEN2: Family = {
  ...LLAMA,
  window: UPPER_WINDOW,
  label: 'Qwen2',
  required: ['kvHeads'],
  bias: { qkv: true, attentionOut: false, mlp: false },
};

/** Its head dim has nothing to do with width / heads. */
const QWEN3: Family = {
  ...LLAMA,
  window: UPPER_WINDOW,
  label: 'Qwen3',
  required: ['kvHeads', 'headDim'],
  bias: { qkv: 'attention_bias', attentionOut: 'attention_bias', mlp: false },
  qkNorm: true,
};

/** Llama with every fourth layer without positions. */
const SMOLLM3: Family = {
  ...LLAMA,
  label: 'SmolLM3',
  required: ['kvHeads'],
  ropeBase: 2e6,
  tied: true,
  ropeless: { list: 'no_rope_layers', every: 'no_rope_layer_interval', absent: 4 },
  only: { use_sliding_window: [false] },
  idle: [...LLAMA.idle!, 'sliding_window', 'max_window_layers'],
};

/** Granite 3: Llama with four factors. */
const GRANITE: Family = {
  ...LLAMA,
  label: 'Granite 3',
  tied: true,
  bias: { qkv: false, attentionOut: false, mlp: false },
  factors: {
    embedding: 'embedding_multiplier',
    residual: 'residual_multiplier',
    attention: 'attention_multiplier',
    logits: 'logits_scaling',
  },
};

/** Gemma 3 without its vision tower: 270M and 1B as published. */
const GEMMA3: Family = {
  ...LLAMA,
  label: 'Gemma 3',
  fields: { ...LLAMA.fields, activation: 'hidden_activation' },
  required: ['kvHeads', 'headDim'],
  normOffset: 1,
  sandwich: true,
  activations: { gelu_pytorch_tanh: 'geglu' },
  ropeBase: 1e6,
  tied: true,
  bias: { qkv: 'attention_bias', attentionOut: 'attention_bias', mlp: false },
  qkNorm: true,
  window: {
    field: 'sliding_window',
    absent: 4096,
    layers: { butEvery: ['sliding_window_pattern', '_sliding_window_pattern'], absent: 6 },
    typed: true,
    base: { field: 'rope_local_base_freq', absent: 1e4 },
  },
  queryScalar: { field: 'query_pre_attn_scalar', absent: 256 },
  rootEmbedding: true,
  logitCap: 'final_logit_softcapping',
  only: { use_bidirectional_attention: [false] },
  empty: ['attn_logit_softcapping'],
};

/** By model_type. */
export const FAMILIES = {
  gpt2: GPT2,
  llama: LLAMA,
  mistral: MISTRAL,
  qwen2: QWEN2,
  qwen3: QWEN3,
  gemma3_text: GEMMA3,
  smollm3: SMOLLM3,
  granite: GRANITE,
} satisfies Record<FamilyName, Family>;
