// The loss on held-out samples: one evaluation, and all evaluations of a run.

import { evalBatches } from '../data/batch/loader';
import { AppError } from '../base/errors';
import type { Engine } from '../engine/engine';
import { lossByLayer } from '../engine/evaluate-by-layer';
import type { ReadBase } from '../engine/truth';
import type { Dtype } from '../model/types';
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
  /** Waits while the run is paused; throws if it was discarded. */
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

  async measure(step: number): Promise<void> {
    const held = await this.#heldOut();
    if (!held) return;
    this.#losses.push({ step, loss: held.loss });
    this.#host.emit({ type: 'eval', step, ...held });
  }

  /**
   * Measures the exported model, whose tensors `read` gives as f32, with memory of its own: for the embedding, the head and one layer. The
   * run's engine may be closed. False if there is no room, or nothing is held out.
   */
  async measureExported(step: number, weights: Dtype, read: ReadBase): Promise<boolean> {
    const { config, dataset } = this.#inputs;
    if (dataset.evaluation.length === 0) return false;
    await this.#host.begin();
    const batches = evalBatches(dataset.evaluation, config.batchSize, config.seqLen);
    const { gpu, plan } = this.#engine;
    try {
      const sum = await lossByLayer(gpu, plan.input, batches, read, (fraction) => this.#progress(fraction));
      let targets = 0;
      for (const batch of batches) targets += batch.targets;
      this.#losses.push({ step, loss: sum / targets, weights });
      this.#host.emit({ type: 'eval', step, loss: sum / targets, targets, weights });
      return true;
    } catch (thrown) {
      if (thrown instanceof AppError && (thrown.code === 'GPU_OOM' || thrown.code === 'LIMIT_TOO_SMALL')) return false;
      throw thrown;
    }
  }

  /** Rounds the layers that are in masters to the type in which they are stored, and measures what that costs. Nothing trains after it. */
  async roundBack(step: number): Promise<void> {
    const layers = this.#engine.layersInMasters;
    if (!this.#engine.roundsBack) return;
    await this.#engine.roundBack();
    const before = this.#losses.pop()?.loss ?? null;
    const held = await this.#heldOut();
    // The model as it is stored answers, is compared and is exported, so its loss is the last one.
    if (held) this.#losses.push({ step, loss: held.loss });
    this.#rounding = { layers, before, after: held?.loss ?? null };
    this.#host.emit({ type: 'rounded', step, rounding: this.#rounding });
  }

  async #heldOut(): Promise<HeldOutLoss | null> {
    if (this.#inputs.dataset.evaluation.length === 0) return null;
    await this.#host.begin();
    return heldOutLoss(this.#engine, this.#inputs, (fraction) => this.#progress(fraction));
  }

  async #progress(fraction: number): Promise<void> {
    await this.#host.check();
    this.#host.emit({ type: 'phase', phase: 'evaluating', fraction });
  }
}
