// What the engine knows of a model: its shape (from config.json) and its tensors (the parameter table).

import type { HalfDtype } from '../base/half';

/** The families that config-families.ts describes, by model_type. */
export type FamilyName = 'gpt2' | 'llama' | 'mistral' | 'qwen2' | 'qwen3' | 'gemma3_text' | 'smollm3' | 'granite';

/** Everything in config.json that changes the maths. */
export interface ModelShape {
  /** model_type. */
  readonly family: FamilyName;
  /** The style of blocks and tensor names. GPT-2's style: learned positions, matrices stored [in, out], one matrix for q, k and v. */
  readonly style: 'gpt2' | 'llama';
  /** V */
  readonly vocab: number;
  /** C */
  readonly width: number;
  /** L */
  readonly layers: number;
  /** H */
  readonly heads: number;
  /** K; equals heads without grouped-query attention. */
  readonly kvHeads: number;
  /** D; heads · headDim may differ from width. */
  readonly headDim: number;
  /** F */
  readonly ff: number;
  /** Longest sequence: the positions that it was made for. */
  readonly maxPositions: number;
  readonly norm: 'layer' | 'rms';
  readonly normEps: number;
  /** What is added to the weight of an RMS norm before it multiplies: Gemma's weights are distances from one. */
  readonly normOffset: 0 | 1;
  /** Attention and feed-forward are also normed after themselves, before they join the residual stream (Gemma 3). */
  readonly sandwich: boolean;
  /** `swiglu` and `geglu` multiply the activation of one half of their input by the other half. */
  readonly activation: 'gelu_tanh' | 'gelu_erf' | 'swiglu' | 'geglu';
  /** Null: learned position embeddings. */
  readonly rope: Rope | null;
  /** Layers in which attention is local; null if it reaches back over the whole document in all of them. */
  readonly window: Window | null;
  /** Layers without positions (SmolLM3), rising. */
  readonly ropeless: readonly number[];
  /** Of attention scores before the softmax; usually 1 / √D. */
  readonly attentionScale: number;
  /** Token embeddings are multiplied by this where they are looked up, and not where they are the head. */
  readonly embeddingScale: number;
  /** What attention and feed-forward are multiplied by before they join the residual stream. */
  readonly residualScale: number;
  /** Logits are multiplied by this. */
  readonly logitScale: number;
  /** Logits are cap · tanh(logit / cap), so that none is larger; null: as they are. */
  readonly logitCap: number | null;
  /** The head is the embedding matrix. */
  readonly tied: boolean;
  /** q and k are normed head by head before the positions. */
  readonly qkNorm: boolean;
  readonly qkvBias: boolean;
  readonly attentionOutBias: boolean;
  readonly mlpBias: boolean;
}

/** In the layers of a window a token sees itself and the size − 1 tokens before it. */
export interface Window {
  readonly size: number;
  /** Rising, at least one. */
  readonly layers: readonly number[];
  /** Angles of these layers; those of the others are in `ModelShape.rope`. */
  readonly rope: Rope | null;
}

/** Rotary position embeddings: pair i of a head turns by theta^(−2i / headDim) radians a position, unless scaled. */
export interface Rope {
  readonly theta: number;
  readonly scaling: RopeScaling | null;
}

/** How the angles are stretched to longer texts than the base model saw. */
export type RopeScaling =
  /** All divided by factor. */
  | { readonly type: 'linear'; readonly factor: number }
  /** YaRN (arXiv 2309.00071): as Llama 3.1, going over between pairs by number; and rotated vectors are attentionFactor times as long. */
  | {
      readonly type: 'yarn';
      readonly factor: number;
      readonly betaFast: number;
      readonly betaSlow: number;
      readonly originalPositions: number;
      readonly attentionFactor: number;
    }
  /** Llama 3.1: slow angles are divided by factor, fast ones are not, in between it goes over. */
  | {
      readonly type: 'llama3';
      readonly factor: number;
      readonly lowFreqFactor: number;
      readonly highFreqFactor: number;
      readonly originalPositions: number;
    };

/** Groups of tensors that live, train and leave together. */
export type BlockName = 'embedding' | `layer.${number}` | 'norm' | 'head';

export type TensorRole = 'embedding' | 'position' | 'matrix' | 'bias' | 'norm' | 'head';
export type Dtype = 'f32' | HalfDtype;

/** How a tensor lies on the GPU. */
export type Storage = Dtype | 'int8' | 'int4';

/** Types in which a checkpoint holds its tensors: one for all, or by parameter name. */
export type CheckpointTypes = Dtype | Readonly<Record<string, Dtype>>;

/** One row a tensor. */
export interface ParameterRow {
  /** Name in a Hugging Face checkpoint: 'model.layers.3.self_attn.q_proj.weight'. */
  readonly name: string;
  /** Name inside its block, the same in every layer: 'self_attn.q_proj.weight'. */
  readonly local: string;
  readonly role: TensorRole;
  readonly layer: number | null;
  readonly block: BlockName;
  /** As stored in the checkpoint, row-major. */
  readonly shape: readonly number[];
  /** How it lies on the GPU. */
  readonly stored: Storage;
  readonly master: 'f32' | null;
  /** Pieces by rows, each within one binding (shards.ts): above 1 for a large vocabulary's embedding and head only. */
  readonly shards: number;
  /** Tensors of one group lie side by side without padding, in table order, and are used as one matrix: q, k, v. */
  readonly fused: string | null;
}

export const elementsOf = (row: { readonly shape: readonly number[] }): number => row.shape.reduce((product, size) => product * size, 1);
