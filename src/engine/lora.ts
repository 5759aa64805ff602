// LoRA (arXiv 2106.09685) on all linear projections: how adapters start, and how they are folded into weights.

import { layerOps } from '../plan/layers';
import type { LinearOp } from '../plan/ops/linear-op';
import type { ModelShape } from '../model/types';
import { loraA, loraB } from '../plan/lora-layout';
import { randomStream } from '../base/random';

/** A of a slice [r, in]: Kaiming-uniform with a = √5, that is U(−1/√in, 1/√in), from the seed; B starts at zero. */
export function initialA(seed: number, layer: number, slice: string, rank: number, inputs: number): Float32Array<ArrayBuffer> {
  const random = randomStream(seed, 'lora', layer, slice);
  const bound = 1 / Math.sqrt(inputs);
  return Float32Array.from({ length: rank * inputs }, () => (random.nextFloat() * 2 - 1) * bound);
}

export interface LoraSite {
  readonly op: LinearOp;
  readonly slice: string;
  readonly out: number;
  readonly a: string;
  readonly b: string;
  /** Local name of the weight it adapts. */
  readonly weight: string;
}

/** Every adapted matrix of a layer. */
export function loraSites(shape: ModelShape): LoraSite[] {
  return layerOps(shape).flatMap((op) =>
    op.kind !== 'linear'
      ? []
      : op.slices.map(({ name, out }) => ({ op, slice: name, out, a: loraA(name), b: loraB(name), weight: `${name}.weight` })),
  );
}

/** W + scale · B·A in float64, in the layout that W is stored in ([out, in], or [in, out] for Conv1D). `weight`: W's elements from `start` on. */
export function mergeAdapter(
  weight: Float32Array<ArrayBuffer>,
  site: LoraSite,
  a: Float32Array,
  b: Float32Array,
  rank: number,
  scale: number,
  start = 0,
): Float32Array<ArrayBuffer> {
  const inputs = site.op.in;
  const transposed = site.op.layout === 'nn';
  const columns = transposed ? site.out : inputs;
  const end = start + weight.length;
  const merged = new Float32Array(weight.length);
  const delta = new Float64Array(columns);
  for (let row = Math.floor(start / columns); row * columns < end; row++) {
    delta.fill(0);
    for (let r = 0; r < rank; r++) {
      const factor = transposed ? a[r * inputs + row] : b[row * rank + r];
      for (let c = 0; c < columns; c++) delta[c] += factor * (transposed ? b[c * rank + r] : a[r * inputs + c]);
    }
    for (let c = Math.max(0, start - row * columns); c < columns && row * columns + c < end; c++) {
      const at = row * columns + c - start;
      merged[at] = weight[at] + scale * delta[c];
    }
  }
  return merged;
}
