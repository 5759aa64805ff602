// The vocabulary of a step plan. A plan is plain data: which buffers exist, and which kernels run over
// which byte ranges of them, in which order. Nothing here needs a GPU.
//
// Sizes, everywhere: B batch, T time, N tokens of a micro-batch (rows), C width, H heads, K kv heads,
// D head dim, F feed-forward, V vocabulary, L layers, M tokens that count toward the loss (targets).

import type { Grid, Work } from './extents';
import type { MemoryCategory } from './memory';

/** 'query' receives timestamps (profiler). */
export type BufferKind = 'storage' | 'uniform' | 'readback' | 'query';

/** Describes one GPUBuffer. Compared by identity: two specs with equal content are two buffers. */
export interface BufferSpec {
  readonly name: string;
  /** A multiple of 16. */
  readonly bytes: number;
  readonly memory: MemoryCategory;
  readonly kind: BufferKind;
  /** The block of the model that it belongs to, if any: 'embedding', 'layer.3', 'norm', 'head'. */
  readonly block?: string;
  /** Name of the only tensor in the buffer, if that tensor is never cut and is too large to share a buffer. */
  readonly tensor?: string;
}

/** 16-bit floats, packed two to a word. */
export type Half = 'f16' | 'bf16';
/** Integers in groups of 32 that share a scale (shaders/storage/storage_quantise.wgsl). */
export type Quantised = 'int8' | 'int4';
/** How weights lie that are not f32. */
export type Stored = Half | Quantised;

export const isQuantised = (stored: Stored | 'f32' | undefined): stored is Quantised => stored === 'int8' || stored === 'int4';

/** A byte range of a buffer, as a binding sees it. offset is a multiple of 256, bytes of 4. */
export interface View {
  readonly buffer: BufferSpec;
  readonly offset: number;
  readonly bytes: number;
  /** Type of packed elements; if absent, an element has four bytes. */
  readonly stored?: Stored;
}

/** Elements of a quantised tensor that lie together: two groups with their scales. */
export const QUANTISED_BLOCK = 64;

/** Bytes of an element of a view; of a quantised one the mean over a block of 64, its scales included. */
export function elementBytes({ stored }: Pick<View, 'stored'>): number {
  switch (stored) {
    case undefined:
      return 4;
    case 'f16':
    case 'bf16':
      return 2;
    case 'int8':
      return 68 / QUANTISED_BLOCK;
    case 'int4':
      return 36 / QUANTISED_BLOCK;
  }
}

export interface KernelBinding {
  readonly binding: number;
  readonly name: string;
  readonly access: 'read' | 'read_write';
  /** Elements in the kernel's text: 'vec4f'. */
  readonly type: string;
}

export interface KernelParam {
  readonly name: string;
  readonly type: 'u32' | 'f32';
}

export interface Kernel {
  /** Name and constants: one pipeline per key. */
  readonly key: string;
  readonly name: string;
  readonly wgsl: string;
  readonly bindings: readonly KernelBinding[];
  readonly params: readonly KernelParam[];
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
