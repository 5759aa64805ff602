// Chooses kernel families for a device by timing both on the shapes of the run: each wins on some graphics cards.
// The choice is part of the run (checkpoint, report); it changes no buffer's size, and the results only by rounding.

import type { Gpu } from '../gpu/device';
import { Lab, scratch } from '../gpu/lab';
import type { ModelShape } from '../model/types';
import { DEFAULT_KERNELS, type KernelChoice } from '../plan/input';
import type { Dispatch } from '../dispatch/types';
import { attentionFwd } from '../shaders/attention/attention';
import { matmul } from '../shaders/matmul/matmul';

/** Rows of the trial: enough to fill a graphics card, few enough to take milliseconds. */
const TRIAL_ROWS = 512;
const ROUNDS = 5;
/** Trials are repeated inside one submission, so that its cost is not what is measured. */
const REPEAT = 8;

type Family = 'register' | 'shared';

/** Software adapters always get 'register' without a trial, because barriers are slow there. */
export async function chooseKernels(gpu: Gpu, shape: ModelShape, rows: number): Promise<KernelChoice> {
  if (gpu.description.software) return DEFAULT_KERNELS;
  const n = Math.min(rows, TRIAL_ROWS);
  const lab = new Lab(gpu);
  return {
    matmul: await faster(lab, n, (family) => matmulTrial(shape, n, family)),
    attention: await faster(lab, n, (family) => attentionTrial(shape, n, family)),
  };
}

/** Forward, input gradient and weight gradient of one projection: what a step spends its time on. */
export function matmulTrial({ width, ff }: Pick<ModelShape, 'width' | 'ff'>, rows: number, family: Family): Dispatch[] {
  const [x, up, w, back] = [scratch('x', rows * width), scratch('up', rows * ff), scratch('w', ff * width), scratch('back', rows * width)];
  const dw = scratch('dw', ff * width);
  return [
    matmul({ label: 'tune nt', layout: 'nt', y: up, a: x, b: w, m: rows, n: ff, k: width, family }),
    matmul({ label: 'tune nn', layout: 'nn', y: back, a: up, b: w, m: rows, n: width, k: ff, family }),
    matmul({ label: 'tune tn', layout: 'tn', y: dw, a: up, b: x, m: ff, n: width, k: rows, family }),
  ];
}

function attentionTrial(shape: ModelShape, rows: number, family: Family): Dispatch[] {
  const { heads, kvHeads, headDim } = shape;
  const qkv = scratch('qkv', rows * (heads + 2 * kvHeads) * headDim);
  // All contents are zero: one document that starts at token 0.
  return [
    attentionFwd({
      label: 'tune attention',
      o: scratch('o', rows * heads * headDim),
      lse: scratch('lse', rows * heads),
      qkv,
      segStart: scratch('segStart', rows),
      rows,
      heads,
      kvHeads,
      headDim,
      scale: 1 / Math.sqrt(headDim),
      family,
    }),
  ];
}

/** Alternates the families, so that a change of clock hits both; the lower minimum wins. */
async function faster(lab: Lab, rows: number, trial: (family: Family) => Dispatch[]): Promise<Family> {
  const best = { register: Infinity, shared: Infinity };
  const extents = { rows, targets: rows, pairs: (rows * (rows + 1)) / 2 };
  for (const family of ['register', 'shared'] as const) await lab.time(trial(family), extents, 1);
  for (let round = 0; round < ROUNDS; round++) {
    for (const family of ['register', 'shared'] as const)
      best[family] = Math.min(best[family], await lab.time(trial(family), extents, REPEAT));
  }
  return best.shared < best.register ? 'shared' : 'register';
}
