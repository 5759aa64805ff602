// The loss on held-out samples.

import { evalBatches } from '../data/loader';
import type { Engine } from './engine';
import type { RunInputs } from './prepare';

export interface HeldOutLoss {
  /** Mean over the targets. */
  readonly loss: number;
  readonly targets: number;
}

/** Null where nothing is held out. `onBatch` hears how much is done (0 to 1); what it throws ends the evaluation. */
export async function heldOutLoss(
  engine: Engine,
  { config, dataset }: RunInputs,
  onBatch: (fraction: number) => void | Promise<void>,
): Promise<HeldOutLoss | null> {
  if (dataset.evaluation.length === 0) return null;
  let sum = 0;
  let targets = 0;
  const batches = evalBatches(dataset.evaluation, config.batchSize, config.seqLen);
  for (const [index, batch] of batches.entries()) {
    sum += await engine.evaluate(batch);
    targets += batch.targets;
    await onBatch((index + 1) / batches.length);
  }
  return { loss: sum / targets, targets };
}
