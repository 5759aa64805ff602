// What the engine knows of a model: its shape (from config.json) and its tensors (the parameter table).

/** Everything in config.json that changes the maths. */
export interface ModelShape {
  readonly family: 'gpt2' | 'llama';
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
  readonly maxPositions: number;
  readonly norm: 'layer' | 'rms';
  readonly normEps: number;
  readonly activation: 'gelu_tanh' | 'gelu_erf' | 'swiglu';
  /** Null: learned position embeddings. */
  readonly rope: { readonly theta: number } | null;
  /** The head is the embedding matrix. */
  readonly tied: boolean;
  readonly qkvBias: boolean;
  readonly attentionOutBias: boolean;
  readonly mlpBias: boolean;
}

/** Groups of tensors that live, train and leave together. */
export type BlockName = 'embedding' | `layer.${number}` | 'norm' | 'head';

export type TensorRole = 'embedding' | 'position' | 'matrix' | 'bias' | 'norm' | 'head';
export type Dtype = 'f32' | 'f16' | 'bf16';

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
  /** Where full precision lives. */
  readonly truth: 'stored' | 'master';
  /** Type on the GPU. */
  readonly stored: Dtype;
  readonly master: Dtype | null;
  /** Row splits; 1 while every tensor fits one binding. */
  readonly parts: number;
  /** Tensors of one group lie side by side without padding, in table order, and are used as one matrix: q, k, v. */
  readonly fused: string | null;
}

export const elementsOf = (row: { readonly shape: readonly number[] }): number => row.shape.reduce((product, size) => product * size, 1);
