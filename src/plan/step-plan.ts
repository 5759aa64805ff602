// One optimizer step as data: its sections, and which of their segments a micro-batch runs.

import type { Extents } from '../dispatch/extents';
import type { Segment } from '../dispatch/types';

/** The head's segments: rows are gathered and normed, the chunks of rows follow, the last segment ends the pass. */
export interface HeadSection {
  readonly first: Segment;
  readonly chunks: readonly Segment[];
  readonly last: Segment;
  /** Rows of a chunk. */
  readonly chunkRows: number;
}

/** The sections of one optimizer step, in the order in which they run. */
export interface StepPlan {
  readonly forward: readonly Segment[];
  readonly head: HeadSection;
  /** With the updates of layers that do not wait for the others' gradients. */
  readonly backward: readonly Segment[];
  /** After the last micro-batch: squares of all gradients and their norm, then the updates. */
  readonly norm: readonly Segment[];
  readonly update: readonly Segment[];
}

/** Chunks of the head that hold targets. */
export const liveHead = ({ first, chunks, last, chunkRows }: HeadSection, { targets }: Extents): Segment[] => [
  first,
  ...chunks.slice(0, Math.max(1, Math.ceil(targets / chunkRows))),
  last,
];

/** Forward and backward of one micro-batch of these extents. */
export const microSegments = ({ forward, head, backward }: StepPlan, extents: Extents): Segment[] => [
  ...forward,
  ...liveHead(head, extents),
  ...backward,
];
