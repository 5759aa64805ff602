// Memory of a run before it runs: the sum of its plan, by class and by what it is for.

import type { ClassBytes } from '../gpu/allocator';
import type { Method } from '../config';

/** A part of a memory bar. */
export interface ForecastPart {
  readonly id: 'weights' | 'edges-state' | 'layers-gradients' | 'layers-optimizer' | 'activations' | 'workspace' | 'other';
  readonly bytes: number;
}

export interface Forecast {
  readonly method: Method;
  readonly bytes: ClassBytes;
  readonly total: number;
  /**
   * The same bytes by purpose: weights; gradients and optimizer state of embedding, head and final norm
   * ('edges-state'); gradients of layers; optimizer state of layers; activations; workspace; the rest
   * (inputs, cache, staging).
   */
  readonly parts: readonly ForecastPart[];
  /** Parameters trained in one step. */
  readonly trainable: number;
  /** FLOPs of one optimizer step at full rows, of the first period's draw. */
  readonly flopsPerStep: number;
}
