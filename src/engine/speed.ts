// How fast a device multiplies matrices of a model's size, forward and both gradients: a first idea of how long training
// takes, before a run has measured it.

import type { Gpu } from '../gpu/device';
import { Lab } from '../gpu/lab';
import { amount, type Extents } from '../dispatch/extents';
import { LEAST_DISPATCH_FLOPS } from '../plan/input';
import { matmulFamilies, matmulTrial } from './tune';

interface Trial {
  /** Sizes of one projection: N tokens through [F, C]. */
  readonly rows: number;
  readonly width: number;
  readonly ff: number;
}

/** About 2.7 GFLOP: milliseconds on a graphics card. */
const MODEL_SIZE: Trial = { rows: 512, width: 576, ff: 1536 };
/** About 35 MFLOP: milliseconds on a CPU that stands in for one. */
const SOFTWARE_SIZE: Trial = { rows: 128, width: 128, ff: 352 };
/** Least work of a submission, so that its own cost is not what is measured. */
const TARGET_MS = { gpu: 20, software: 10 };
const MOST_REPEATS = 64;
const ROUNDS = 3;
const DISPATCH_SECONDS = 0.02;

/** Work of one dispatch: 20 ms of a graphics card, so that neither a page nor a watchdog waits; on software adapters the least. */
export async function dispatchFlopsOf(gpu: Gpu): Promise<number> {
  if (gpu.description.software) return LEAST_DISPATCH_FLOPS;
  const speed = await measureSpeed(gpu, () => false);
  return Math.max(LEAST_DISPATCH_FLOPS, DISPATCH_SECONDS * (speed ?? 0));
}

/** FLOPs a second of the faster kernel family; null if `cancelled` returned true meanwhile. Leaves nothing on the GPU. */
export async function measureSpeed(gpu: Gpu, cancelled: () => boolean): Promise<number | null> {
  const { software } = gpu.description;
  const trial = software ? SOFTWARE_SIZE : MODEL_SIZE;
  const { rows } = trial;
  const extents: Extents = { rows, targets: rows, tokenGroups: 0, positionGroups: 0, pairs: 0 };
  // Compiling takes longer than the trial; the pipelines are the device's, and a run needs the same ones.
  const lab = new Lab(gpu);
  let best = 0;
  for (const family of matmulFamilies(gpu)) {
    const dispatches = matmulTrial(trial, rows, family);
    const flops = dispatches.reduce((sum, { work }) => sum + amount(work.flops, extents), 0);
    let repeat = 1;
    for (let round = 0; round <= ROUNDS; round++) {
      if (cancelled()) return null;
      const ms = await lab.time(dispatches, extents, repeat);
      // The first round warms up, and decides how often the others repeat.
      if (round === 0) repeat = Math.min(MOST_REPEATS, Math.max(1, Math.ceil((software ? TARGET_MS.software : TARGET_MS.gpu) / ms)));
      else best = Math.max(best, (flops * repeat) / (ms / 1000));
    }
  }
  return cancelled() ? null : best;
}
