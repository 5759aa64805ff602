// How far a gradient or an update may lie from float64 PyTorch, and elements that are zero in theory.

import { relativeErrorL2 } from './compare';
import type { ZeroRange } from './fixtures';

/** Gradients: four times float32 PyTorch's error, and never below f32's noise over sums of this length. */
export const gradientBound = (float32: number): number => Math.max(1e-5, 4 * float32);
/** Updates: Adam divides by √v, which amplifies the rounding of small gradients. */
export const updateBound = (float32: number): number => Math.max(1e-4, 4 * float32);

/** Splits off elements that are zero in theory; they are compared by size. */
function withoutZeros(
  name: string,
  values: Float32Array,
  zeros: readonly ZeroRange[],
): { readonly rest: number[]; readonly largest: number } {
  const ranges = zeros.filter((z) => z.tensor === name);
  const rest: number[] = [];
  let largest = 0;
  values.forEach((value, at) => {
    if (ranges.some((z) => at >= z.from && at < z.to)) largest = Math.max(largest, Math.abs(value));
    else rest.push(value);
  });
  return { rest, largest };
}

export const boundOfZeros = (name: string, zeros: readonly ZeroRange[]): number =>
  Math.max(1e-7, ...zeros.filter((z) => z.tensor === name).map((z) => 4 * Math.max(z.float32, z.float64)));

export interface Judged {
  readonly name: string;
  /** L2-relative, without the theoretical zeros. */
  readonly error: number;
  /** The largest of those. */
  readonly zeros: number;
}

export function judge(name: string, got: Float32Array, want: Float32Array, zeros: readonly ZeroRange[]): Judged {
  const ours = withoutZeros(name, got, zeros);
  return { name, error: relativeErrorL2(ours.rest, withoutZeros(name, want, zeros).rest), zeros: ours.largest };
}

/** Finds the one of several quantities that comes nearest to its bound. */
export class Worst {
  name = '';
  error = 0;
  float32 = 0;
  #ratio = 0;

  note(name: string, error: number, float32: number, bound: number): void {
    if (error / bound < this.#ratio) return;
    [this.name, this.error, this.float32, this.#ratio] = [name, error, float32, error / bound];
  }

  get text(): string {
    return `${this.name} ${this.error.toExponential(1)} (float32 PyTorch ${this.float32.toExponential(1)})`;
  }
}
