// A kernel on given numbers beside what it should give: the parts that the cases of this folder are made of.

import { randomStream } from '../base/random';
import type { Extents } from '../dispatch/extents';
import type { Frame } from '../dispatch/frame';
import { FULL_VIEW, roundUp, type BufferSpec, type Dispatch, type View } from '../dispatch/types';

/** Numbers of one output and their float64 reference. */
interface Expected {
  readonly view: View;
  readonly want: ArrayLike<number>;
}

export interface Trial {
  readonly dispatches: readonly Dispatch[];
  readonly data: ReadonlyMap<BufferSpec, Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>>;
  readonly expected: readonly Expected[];
  readonly frame?: Partial<Omit<Frame, 'extents'>> & { readonly extents?: Partial<Extents> };
}

export interface KernelCase {
  /** What is computed, and on which sizes. */
  readonly name: string;
  /** The kernels that stand or fall with it: a family that a device may do without, or 'all' for those that every run needs. */
  readonly group: KernelGroup;
  /** Largest max|error| / max|reference| that is right: f32 rounding of the sums of this case, with room for the order of terms. */
  readonly bound: number;
  make(): Trial;
}

export type KernelGroup = 'all' | 'matmul register' | 'matmul tiles' | 'attention software' | 'attention tiles';

/** Collects the contents of the buffers of a case. */
export class Inputs {
  readonly data = new Map<BufferSpec, Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>>();
  readonly #seed: string;
  #drawn = 0;

  constructor(seed: string) {
    this.#seed = seed;
  }

  /** A buffer of `count` elements that nothing has written: NaN, so that a missing write is seen. */
  out(name: string, count: number): View {
    return FULL_VIEW({ name, bytes: Math.max(16, roundUp(count * 4, 16)), memory: 'activations', kind: 'storage' });
  }

  /** A buffer with these values. */
  given(name: string, values: ArrayLike<number>): View {
    const view = this.out(name, values.length);
    const padded = new Float32Array(view.bytes / 4);
    padded.set(values);
    this.data.set(view.buffer, padded);
    return view;
  }

  /** A buffer with these indices. */
  indices(name: string, values: readonly number[]): View {
    const view = this.out(name, values.length);
    const padded = new Uint32Array(view.bytes / 4);
    padded.set(values);
    this.data.set(view.buffer, padded);
    return view;
  }

  /** `count` numbers from -scale to scale; others with every call, the same in every process. */
  random(count: number, scale = 1): Float32Array<ArrayBuffer> {
    const stream = randomStream(7, 'check', this.#seed, this.#drawn++);
    return Float32Array.from({ length: count }, () => scale * (2 * stream.nextFloat() - 1));
  }

  /** A buffer of random numbers and its numbers. */
  filled(name: string, count: number, scale = 1): { view: View; values: Float32Array<ArrayBuffer> } {
    const values = this.random(count, scale);
    return { view: this.given(name, values), values };
  }
}

/** max|got − want| / max|want|; infinite if a number is not finite. */
export function largestError(got: ArrayLike<number>, want: ArrayLike<number>): number {
  let [error, size] = [0, 0];
  for (let i = 0; i < want.length; i++) {
    if (!Number.isFinite(got[i])) return Infinity;
    error = Math.max(error, Math.abs(got[i] - want[i]));
    size = Math.max(size, Math.abs(want[i]));
  }
  return size === 0 ? error : error / size;
}
