// For the tests of the row-wise kernels: input buffers, the split into live and untouched rows, and finite
// differences, which check a reference's gradient without trusting anyone's algebra.

import { scratch } from '../gpu/lab';
import { roundUp, type BufferSpec, type View } from '../dispatch/types';

type Numbers = Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

/** Buffers with contents; the padding behind them is NaN, so that a kernel that reads it is noticed. */
export class Inputs {
  readonly data = new Map<BufferSpec, Numbers>();

  f32(name: string, values: ArrayLike<number>): View {
    const view = scratch(name, values.length);
    const contents = new Float32Array(roundUp(values.length, 4)).fill(NaN);
    contents.set(values);
    this.data.set(view.buffer, contents);
    return view;
  }

  u32(name: string, values: ArrayLike<number>): View {
    const view = scratch(name, values.length);
    const contents = new Uint32Array(roundUp(values.length, 4));
    contents.set(values);
    this.data.set(view.buffer, contents);
    return view;
  }
}

/** Elements of `values` from `from` on that were written; buffers start as NaN. */
export const writtenFrom = (values: Float32Array, from: number): number =>
  values.subarray(from).filter((value) => !Number.isNaN(value)).length;

/** max |numeric − gradient| / max |gradient| over all entries of x, by central differences in float64. */
export function differenceError(loss: (x: Float64Array) => number, x: ArrayLike<number>, gradient: ArrayLike<number>): number {
  const at = Float64Array.from(x);
  const step = 1e-5;
  let error = 0;
  let scale = 0;
  for (let i = 0; i < at.length; i++) {
    const value = at[i];
    at[i] = value + step;
    const above = loss(at);
    at[i] = value - step;
    const below = loss(at);
    at[i] = value;
    error = Math.max(error, Math.abs((above - below) / (2 * step) - gradient[i]));
    scale = Math.max(scale, Math.abs(gradient[i]));
  }
  return error / scale;
}

/** Σ a·b, to turn an array-valued function into a loss. */
export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
