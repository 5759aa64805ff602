// The vocabulary of a step plan. A plan is plain data: which buffers exist, and which kernels run over
// which byte ranges of them, in which order. Nothing here needs a GPU.
//
// Sizes, everywhere: B batch, T time, N tokens of a micro-batch (rows), C width, H heads, K kv heads,
// D head dim, F feed-forward, V vocabulary, L layers, M tokens that carry a loss (targets).

import type { Kernel } from './kernel';

/** What a byte of GPU memory is for. Every buffer has exactly one class. */
export const MEMORY_CLASSES = [
  'weights',
  'masters',
  'gradients',
  'optimizer',
  'activations',
  'workspace',
  'inputs',
  'cache',
  'staging',
] as const;
export type MemoryClass = (typeof MEMORY_CLASSES)[number];

/** 'query' receives timestamps (profiler). */
export type BufferKind = 'storage' | 'uniform' | 'readback' | 'query';

/** One GPUBuffer to be. Compared by identity: two specs of equal content are two buffers. */
export interface BufferSpec {
  readonly name: string;
  /** A multiple of 16. */
  readonly bytes: number;
  readonly memory: MemoryClass;
  readonly kind: BufferKind;
  /** The block of the model it belongs to ('embedding', 'layer.3', 'norm', 'head'), where it belongs to one. */
  readonly block?: string;
  /** The tensor that it holds, where one that is never cut is too large to share a buffer. */
  readonly tensor?: string;
}

/** 16-bit floats that lie packed, two a word. */
export type Stored = 'f16' | 'bf16';

/** A byte range of a buffer, as a binding sees it. offset is a multiple of 256, bytes of 4. */
export interface View {
  readonly buffer: BufferSpec;
  readonly offset: number;
  readonly bytes: number;
  /** Packed elements of this type; absent: four bytes an element. */
  readonly stored?: Stored;
}

/** Bytes of an element of a view. */
export const elementBytes = ({ stored }: Pick<View, 'stored'>): number => (stored ? 2 : 4);

/**
 * Sizes that change from micro-batch to micro-batch. A plan is built once for their capacity; the
 * executor computes grids from the live values and kernels read them from the frame uniform.
 */
export interface Extents {
  /** N: tokens in the micro-batch. */
  readonly rows: number;
  /** M: tokens that carry a loss (or rows whose logits are wanted, when generating). */
  readonly targets: number;
  /** Distinct token ids in the micro-batch. */
  readonly tokenGroups: number;
  /** Distinct positions in the micro-batch (learned position embeddings). */
  readonly positionGroups: number;
  /** Query-key pairs inside the causal mask and segments: the sum of t·(t+1)/2 over segments. Work only. */
  readonly pairs: number;
}
export type ExtentName = keyof Extents;

/** Workgroups along one dimension: a constant, or ceil(max(0, extent − from) · times / per) up to `most`. */
export type GridDim =
  | number
  | {
      readonly extent: ExtentName;
      readonly per: number;
      readonly times?: number;
      readonly from?: number;
      readonly limit?: number;
      readonly most?: number;
    };
export type Grid = readonly [GridDim, GridDim, GridDim];

/** A linear form in the extents: one + Σ coefficient·extent. For FLOPs and bytes of a dispatch. */
export type Amount = { readonly [name in ExtentName | 'one']?: number };

export interface Work {
  readonly flops: Amount;
  /** Bytes that must cross the memory bus at least once. */
  readonly bytes: Amount;
}

/** One kernel launch. */
export interface Dispatch {
  readonly kernel: Kernel;
  /** For people: 'layer.3/qkv dW'. */
  readonly label: string;
  /** One per storage binding of the kernel, in its order. */
  readonly views: readonly View[];
  /** The packed Params struct; a multiple of 16 bytes, at most 256. */
  readonly params: Uint8Array;
  readonly grid: Grid;
  readonly work: Work;
}

/** Dispatches that always run together and are compiled (pipelines, bind groups) once. Identity is the cache key. */
export interface Segment {
  readonly name: string;
  readonly dispatches: readonly Dispatch[];
}

export const FULL_VIEW = (buffer: BufferSpec): View => ({ buffer, offset: 0, bytes: buffer.bytes });

/** bytes rounded up to a multiple of step. */
export const roundUp = (bytes: number, step: number): number => Math.ceil(bytes / step) * step;

/** Offsets at which a storage binding may start, under WebGPU's default limits. */
export const BINDING_ALIGNMENT = 256;

export function amount(form: Amount, extents: Extents): number {
  let sum = form.one ?? 0;
  for (const key of Object.keys(extents) as ExtentName[]) sum += (form[key] ?? 0) * extents[key];
  return sum;
}

export function addAmounts(...forms: readonly Amount[]): Amount {
  const sum: { [name in ExtentName | 'one']?: number } = {};
  for (const form of forms) {
    for (const key of Object.keys(form) as (ExtentName | 'one')[]) sum[key] = (sum[key] ?? 0) + (form[key] ?? 0);
  }
  return sum;
}

export function gridSize(dim: GridDim, extents: Extents): number {
  if (typeof dim === 'number') return dim;
  const live = Math.min(Math.max(0, extents[dim.extent] - (dim.from ?? 0)), dim.limit ?? Infinity);
  return Math.min(Math.ceil((live * (dim.times ?? 1)) / dim.per), dim.most ?? Infinity);
}
