// The loss on held-out samples: one evaluation, and all evaluations of a run.

import { evalBatches } from '../data/batch/loader';
import type { Engine } from '../engine/engine';
import type { RunInputs } from './prepare';
import type { HeldOut, Rounding, RunEvent } from './events';

export interface HeldOutLoss {
  /** Mean loss over the targets. */
  readonly loss: number;
  readonly targets: number;
}

/** Null if nothing is held out. `onBatch` receives the progress (0 to 1); if it throws, the evaluation ends. */
async function heldOutLoss(
  engine: Engine,
  { config, dataset }: RunInputs,
  onBatch: (fraction: number) => void | Promise<void>,
): Promise<HeldOutLoss | null> {
  if (dataset.evaluation.length === 0) return null;
  let sum = 0;
  let targets = 0;
  const batches = evalBatches(dataset.evaluation, config.batchSize, config.seqLen);
  let done = 0;
  for (const batch of batches) {
    sum += await engine.evaluate(batch);
    targets += batch.targets;
    await onBatch(++done / batches.length);
  }
  return { loss: sum / targets, targets };
}

export interface EvaluationHost {
  emit(event: RunEvent): void;
  /** Called before an evaluation; waits for the steps under way. */
  begin(): Promise<void>;
  /** Throws if the run was discarded. */
  check(): Promise<void>;
}

/** What a run has measured on held-out samples. If none are held out, evaluations do nothing. */
export class Evaluations {
  readonly #engine: Engine;
  readonly #inputs: RunInputs;
  readonly #host: EvaluationHost;
  #losses: HeldOut[] = [];
  #rounding: Rounding | undefined;

  constructor(engine: Engine, inputs: RunInputs, host: EvaluationHost) {
    this.#engine = engine;
    this.#inputs = inputs;
    this.#host = host;
  }

  get losses(): readonly HeldOut[] {
    return this.#losses;
  }

  /** Set after layers were rounded at the end of the run. */
  get rounding(): Rounding | undefined {
    return this.#rounding;
  }

  /** Continues from the losses of a checkpoint. */
  restore(losses: readonly HeldOut[]): void {
    this.#losses = [...losses];
  }

  /** `weights`: the type to which the weights were rounded for an export, if they were. */
  async measure(step: number, weights?: HeldOut['weights']): Promise<void> {
    const held = await this.#heldOut();
    if (!held) return;
    const rounded = weights && { weights };
    this.#losses.push({ step, loss: held.loss, ...rounded });
    this.#host.emit({ type: 'eval', step, ...held, ...rounded });
  }

  /** Rounds the layers that are in masters to the type in which they are stored, and measures what that costs. Nothing trains after it. */
  async roundBack(step: number): Promise<void> {
    const layers = this.#engine.layersInMasters;
    if (!this.#engine.roundsBack) return;
    await this.#engine.roundBack();
    const before = this.#losses.pop()?.loss ?? null;
    const held = await this.#heldOut();
    // The model as it is stored answers and is compared, so its loss is the last one. It is what is exported, unless the base is quantised.
    if (held) this.#losses.push({ step, loss: held.loss });
    this.#rounding = { layers, before, after: held?.loss ?? null };
    this.#host.emit({ type: 'rounded', step, rounding: this.#rounding });
  }

  async #heldOut(): Promise<HeldOutLoss | null> {
    if (this.#inputs.dataset.evaluation.length === 0) return null;
    await this.#host.begin();
    return heldOutLoss(this.#engine, this.#inputs, async (fraction) => {
      await this.#host.check();
      this.#host.emit({ type: 'phase', phase: 'evaluating', fraction });
    });
  }
}
