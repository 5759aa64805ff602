// The engine of a run: kernels that this device computes rightly, memory for the plan, and full precision for what is quantised.

import { Engine } from '../engine/engine';
import { leftOutText } from '../engine/right-kernels';
import { dispatchFlopsOf } from '../engine/speed';
import { truthOf } from '../engine/truth';
import { chooseKernels, resumedKernels } from '../engine/tune';
import type { Gpu } from '../gpu/device';
import type { CheckpointReader } from '../io/formats/checkpoints';
import { memoryScratch, type OpenScratch } from '../io/formats/scratch';
import { planInput } from '../plan/input';
import { readCheckpointState } from './checkpoint';
import type { RunInputs } from './prepare';

interface Opening {
  /** The checkpoint that the run goes on from, with its kernels. */
  readonly from?: CheckpointReader | null;
  /** Where blocks are cut (tests cut them sooner). */
  readonly shardBytes?: number;
  /** Where layers that lie quantised keep their full precision; by default in memory. */
  readonly scratch?: OpenScratch;
  /** Called if kernels are left out since this device computes them wrongly. */
  readonly onWrong?: (text: string) => void;
}

/** Nothing is loaded yet; the caller closes it. Throws GPU_WRONG, GPU_OOM or LIMIT_TOO_SMALL with nothing left behind. */
export async function openEngine(gpu: Gpu, { config, files, dataset }: RunInputs, opening: Opening = {}): Promise<Engine> {
  const { from, shardBytes, scratch = () => Promise.resolve(memoryScratch()), onWrong } = opening;
  // A fault that an earlier run left on this device does not belong to this run.
  gpu.takeFault();
  const chosen = await chooseKernels(gpu, files.shape, config.batchSize * config.seqLen);
  if (chosen.wrong.length > 0) onWrong?.(leftOutText(chosen.wrong));
  const kernels = from ? resumedKernels(gpu, (await readCheckpointState(from)).kernels, chosen) : chosen.kernels;
  const { tokens } = dataset;
  const truth = truthOf((...part) => files.tensor(...part), scratch);
  const options = { kernels, dispatchFlops: await dispatchFlopsOf(gpu), types: files.types, dataTokens: tokens.length, shardBytes };
  return Engine.create(gpu, planInput(files.shape, config, options), { tokens, truth });
}
