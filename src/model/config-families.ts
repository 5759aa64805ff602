// The model families, one description each: which fields of config.json give the sizes, what is fixed, what is refused. What
// families share is written once. Defaults are those of the Hugging Face config classes; sizes have no defaults. What a layer
// computes follows from the ModelShape alone (layer-ops.ts, parameters.ts).

import type { FamilyName, ModelShape } from './types';

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
  /** Values of the activation's field; the first is the default. */
  readonly activations: Readonly<Record<string, ModelShape['activation']>>;
  readonly rotary: boolean;
  readonly tied: boolean;
  /** Whether the linears have a bias, or the field that says so. */
  readonly bias: { readonly qkv: boolean | string; readonly attentionOut: boolean | string; readonly mlp: boolean | string };
  readonly qkNorm?: true;
  /** Attention reaches back this far if the field says so. `absent` is the value of a missing field; null switches the window off. */
  readonly window?: { readonly field: string; readonly absent: number };
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
  window: { field: 'sliding_window', absent: 4096 },
  only: {},
};

/** An unused window may be there with its size. */
const NO_WINDOW = { only: { use_sliding_window: [false] }, idle: ['sliding_window', 'max_window_layers'] };

/** Qwen2 and Qwen2.5. */
const QWEN2: Family = {
  ...LLAMA,
  ...NO_WINDOW,
  label: 'Qwen2',
  required: ['kvHeads'],
  bias: { qkv: true, attentionOut: false, mlp: false },
};

/** Its head dim has nothing to do with width / heads. */
const QWEN3: Family = {
  ...LLAMA,
  ...NO_WINDOW,
  label: 'Qwen3',
  required: ['kvHeads', 'headDim'],
  bias: { qkv: 'attention_bias', attentionOut: 'attention_bias', mlp: false },
  qkNorm: true,
};

/** By model_type. */
export const FAMILIES = {
  gpt2: GPT2,
  llama: LLAMA,
  mistral: MISTRAL,
  qwen2: QWEN2,
  qwen3: QWEN3,
} satisfies Record<FamilyName, Family>;
