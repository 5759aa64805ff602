// What the buffers of a run are called and how they belong together: weights by block, what trains, saved activations, inputs.

import type { BlockName, ParameterRow } from '../model/types';
import type { BufferSpec, View } from '../dispatch/types';
import type { BlockLayout } from './layout';
import type { ShardedBuffer } from './sharded-buffer';

/** Weights with the layout of a block: its tensors as they are stored. */
export interface Block {
  readonly weights: ShardedBuffer;
  readonly layout: BlockLayout;
  readonly rows: readonly ParameterRow[];
}

/** Gradient, m and v of something that trains, all in its layout; `scalars` is its row in the scalars buffer. */
export interface Trainable {
  readonly name: string;
  readonly layout: BlockLayout;
  readonly gradient: ShardedBuffer;
  readonly m: ShardedBuffer;
  readonly v: ShardedBuffer;
  /** Its weights in f32, in its layout, if they don't train where its block has them. */
  readonly master: ShardedBuffer | null;
  readonly scalars: number;
  /** First of its workgroups' sums in the partials buffer, and how many. */
  readonly partialsAt: number;
  readonly partials: number;
}

/** Room for one trained layer: its optimizer state and what only its weight gradients need kept. */
export interface Slot extends Trainable {
  readonly index: number;
  readonly saved: ReadonlyMap<string, BufferSpec>;
}

export type AlwaysOnName = 'embedding' | 'norm' | 'head';

/** An adapter of a layer, the slot in which it trains, and its scale α / r. */
export interface Adapter {
  readonly block: Block;
  readonly slot: Slot;
  readonly rank: number;
  readonly scale: number;
}

/**
 * Arrays of a micro-batch, packed into one buffer that is written once. Names equal MicroBatch's fields, apart from `rowOfToken`: for each
 * token, its place among the rows that train (engine/token-rows.ts); and `windowStart` and `windowEnd`: segStart and segEnd, but no further
 * away than the model's window reaches (engine/windows.ts).
 */
export type InputName =
  | 'tokens'
  | 'rowOfToken'
  | 'segStart'
  | 'segEnd'
  | 'windowStart'
  | 'windowEnd'
  | 'targetRows'
  | 'labels'
  | 'inverse'
  | 'tokenOrder'
  | 'tokenGroupStart'
  | 'tokenGroupId'
  | 'positionOrder'
  | 'positionGroupStart'
  | 'positionGroupId';

/** Where the values of a quantised tensor are turned into codes, a piece at a time. */
interface Packing {
  readonly values: BufferSpec;
  readonly codes: View;
  readonly elements: number;
}

/** Tables of cosines and sines [positions, D / 2]. */
export interface RopeBuffers {
  readonly cos: BufferSpec;
  readonly sin: BufferSpec;
  readonly positions: number;
}

export interface RunBuffers {
  readonly blocks: ReadonlyMap<BlockName, Block>;
  /** LoRA: one adapter per layer. */
  readonly adapters: readonly Block[];
  readonly alwaysOn: ReadonlyMap<AlwaysOnName, Trainable>;
  readonly slots: readonly Slot[];
  /** Saved activations of layers from `lowest` up, by value name. */
  readonly saved: readonly ReadonlyMap<string, BufferSpec>[];
  /** The residual stream below layer i's first norm; index L is the gradient of the stream as well, and all there is while sampling. */
  readonly stream: readonly BufferSpec[];
  readonly inputs: BufferSpec;
  readonly inputViews: ReadonlyMap<InputName, View>;
  /** [R] u32: the tokens whose rows train, rising; null if no tensor trains by rows. */
  readonly rowTokens: BufferSpec | null;
  readonly rope: RopeBuffers | null;
  /** Of the layers with a window, if they have angles of their own. */
  readonly localRope: RopeBuffers | null;
  readonly scalars: BufferSpec;
  readonly stats: BufferSpec;
  readonly partials: BufferSpec;
  /** Where each is clipped by its own norm: 256 bytes for each row of scalars, with norm and clip factor laid out as in stats. */
  readonly blockStats: BufferSpec | null;
  readonly losses: BufferSpec;
  readonly logits: BufferSpec;
  /** Elements from one row of logits to the next: the vocabulary in whole quads. */
  readonly logitsStride: number;
  /** Rows of a chunk of the head, a multiple of 64. */
  readonly chunkRows: number;
  /** K and V by layer, as far as possible in buffers that only steps use otherwise (cache-place.ts). */
  readonly cache: readonly { readonly k: View; readonly v: View }[];
  /** Null if nothing is quantised. */
  readonly packing: Packing | null;
  readonly frame: BufferSpec;
  /** Readback of the step's figures. There are two, so that a step can start before the figures of the last one are read. */
  readonly statsStaging: readonly [BufferSpec, BufferSpec];
  /** The same for the sums of squares of the gradients; null where they are not read back. */
  readonly partialsStaging: readonly [BufferSpec, BufferSpec] | null;
  /** Readback of logits and weights, in pieces. */
  readonly staging: BufferSpec;
  readonly all: readonly BufferSpec[];
}
