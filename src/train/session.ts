// A run from its first evaluation to its last. One object owns the state; the page's worker and the command
// line are thin shells around it and hear of everything through events.

import type { RunConfig } from '../config';
import { evalBatches, Loader, type StepData } from '../data/loader';
import { AppError } from '../errors';
import type { Gpu } from '../gpu/device';
import type { LedgerReading } from '../gpu/allocator';
import { drawPeriod, schedule } from '../lisa/schedule';
import { parameterCount } from '../model/parameters';
import { firstAssignment, forecast, trainableParameters, type Forecast } from '../plan/forecast';
import { planInput, scheduleConfig } from '../plan/input';
import { withTotal } from '../plan/memory';
import { randomStream } from '../random';
import { initialA, loraSites } from './lora';
import {
  checkpointFile,
  readCheckpointState,
  restoreCheckpoint,
  type CheckpointReader,
  type CheckpointState,
  type CheckpointStore,
} from './checkpoint';
import { Engine } from './engine';
import { runFingerprint, tensorDigest } from './fingerprint';
import { generate } from './generate';
import type { RunInputs } from './prepare';
import type { Period, Prepared, RunEvent, RunReport, Sample } from './protocol';
import { blockBytes } from './block-bytes';
import { Trainer } from './trainer';
import { chooseKernels } from './tune';

export interface SessionHost {
  /** Kept in checkpoints. */
  readonly runId?: string;
  emit(event: RunEvent): void;
  readonly checkpoints: CheckpointStore | null;
  /** Asked before every step; resolves when the run may go on, or says that it is to end here. */
  gate(): Promise<'go' | 'stop'>;
  /** True once nothing of the run is wanted any more; run() then ends by throwing Discarded. */
  discarded(): boolean;
}

export class Discarded extends Error {}

/** Steps that may be under way on the GPU while the next is encoded. */
const LOOKAHEAD = 1;

export class Session {
  readonly inputs: RunInputs;
  readonly engine: Engine;
  readonly trainer: Trainer;
  readonly schedule: readonly Period[];
  readonly forecasts: { readonly full: Forecast; readonly lisa: Forecast; readonly lora: Forecast };
  readonly #host: SessionHost;
  readonly #loader: Loader;
  #fingerprint = '';
  #evalLoss: { step: number; loss: number }[] = [];
  #tokens = 0;
  #seconds = 0;
  #savedStep: number | null = null;
  #pending: Promise<void>[] = [];
  #mark = 0;
  /** No further step comes. */
  #ended = false;

  /** Allocates, loads the weights or the checkpoint, and is ready to run. */
  static async create(gpu: Gpu, inputs: RunInputs, host: SessionHost, from: CheckpointReader | null = null): Promise<Session> {
    const { config, files } = inputs;
    host.emit({ type: 'phase', phase: 'preparing' });
    const kernels = from
      ? (await readCheckpointState(from)).kernels
      : await chooseKernels(gpu, files.shape, config.batchSize * config.seqLen);
    const engine = await Engine.create(gpu, planInput(files.shape, config, { kernels }));
    try {
      const session = new Session(engine, inputs, host);
      await session.#loadWeights();
      if (from) await session.#restore(from);
      return session;
    } catch (error) {
      engine.close();
      throw error;
    }
  }

  private constructor(engine: Engine, inputs: RunInputs, host: SessionHost) {
    const { config, files, dataset } = inputs;
    this.engine = engine;
    this.inputs = inputs;
    this.#host = host;
    const periods = scheduleConfig(files.shape, config);
    this.schedule = config.method === 'lisa' ? schedule(periods) : [];
    this.trainer = new Trainer(engine, config, (period) => drawPeriod(periods, period));
    this.#loader = new Loader(dataset.train, config);
    const of = (method: RunConfig['method']): Forecast =>
      forecast(files.shape, {
        ...config,
        method,
        ...(method === config.method ? {} : { lisaLayers: Math.min(config.lisaLayers, files.shape.layers) }),
      });
    this.forecasts = { full: of('full'), lisa: of('lisa'), lora: of('lora') };
  }

  /** Step of the last checkpoint of this run, if one was written or read. */
  get savedStep(): number | null {
    return this.#savedStep;
  }

  /** Trains to the end (or until the gate says stop) and reports. The engine stays open for export and sampling. */
  async run(): Promise<RunReport> {
    const { config } = this.inputs;
    this.#host.emit({ type: 'prepared', prepared: this.#prepared() });
    if (this.trainer.completed === 0) {
      await this.#evaluate();
      await this.#sampleAll('before');
    }
    this.#phase('training');
    this.#mark = performance.now();
    let stopped = false;
    while (this.trainer.completed < config.steps) {
      const answer = await this.#host.gate();
      await this.#checkDiscarded();
      if (answer === 'stop') {
        stopped = true;
        break;
      }
      const data = this.#loader.nextStep();
      const { lr } = this.trainer;
      await this.trainer.submit(data);
      const reported = this.#report(this.trainer.completed, lr, data, this.trainer.activeLayers);
      // Awaited later; until then a failure must not count as one that nobody handles.
      reported.catch(() => undefined);
      this.#pending.push(reported);
      if (this.#pending.length > LOOKAHEAD) await this.#pending.shift();

      const done = this.trainer.completed;
      const last = done === config.steps;
      if (config.evalEvery > 0 && done % config.evalEvery === 0 && !last) await this.#evaluate();
      if (config.saveEvery > 0 && done % config.saveEvery === 0 && !last) await this.save();
    }
    this.#ended = true;
    await this.drain();
    if (this.#evalLoss.at(-1)?.step !== this.trainer.completed) await this.#evaluate();
    await this.save();
    await this.#sampleAll('after');
    const report = this.report();
    this.#host.emit({ type: 'done', report, stopped });
    return report;
  }

  /** Waits for the steps under way and throws what went wrong in them. */
  async drain(): Promise<void> {
    const pending = this.#pending;
    this.#pending = [];
    for (const step of pending) await step;
  }

  /** Writes a checkpoint of the state as it is now. */
  async save(): Promise<void> {
    const store = this.#host.checkpoints;
    await this.drain();
    if (!store) return;
    this.#phase('saving');
    const step = this.trainer.completed;
    await store.write(step, checkpointFile(this.engine, this.trainer.parkedStates, this.#state()));
    this.#savedStep = step;
    this.#host.emit({ type: 'checkpoint', step });
    this.#resumeClock();
  }

  /** Time that passed in a pause is not training time. */
  resumeAfterPause(): void {
    this.#resumeClock();
  }

  ledger(): LedgerReading {
    return this.engine.allocator.reading();
  }

  report(): RunReport {
    const { config, files } = this.inputs;
    const reading = this.ledger();
    return {
      method: config.method,
      device: this.engine.gpu.description,
      kernels: this.#kernels(),
      schedule: this.schedule,
      memory: {
        forecast: withTotal(this.forecasts[config.method].bytes),
        peak: withTotal(reading.peak),
        fullForecast: withTotal(this.forecasts.full.bytes),
        loraForecast: withTotal(this.forecasts.lora.bytes),
      },
      parameters: parameterCount(files.table),
      trainable: trainableParameters(this.engine.plan, firstAssignment(this.engine.plan.input, config)),
      tokensPerSecond: this.#seconds > 0 ? this.#tokens / this.#seconds : 0,
      evalLoss: this.#evalLoss,
    };
  }

  /** Text that follows a prompt. */
  async complete(ids: readonly number[], index: number): Promise<string> {
    const { config, tokenizer } = this.inputs;
    const made = await generate(this.engine, ids, {
      maxTokens: config.sampleTokens,
      temperature: config.temperature,
      stopIds: new Set(tokenizer.eosIds),
      random: randomStream(config.seed, 'sample', index),
      cancelled: () => this.#host.discarded(),
    });
    return tokenizer.decode(made, { skipSpecial: true });
  }

  close(): void {
    this.engine.close();
  }

  async #loadWeights(): Promise<void> {
    const { config, files, dataset } = this.inputs;
    const total = files.table.length;
    const digests: number[] = [];
    let loaded = 0;
    for await (const { row, data } of files.tensors()) {
      if (this.#host.discarded()) throw new Discarded();
      this.engine.writeTensor(row, data);
      digests.push(tensorDigest(data));
      this.#host.emit({ type: 'phase', phase: 'loading', fraction: ++loaded / total });
    }
    this.#fingerprint = runFingerprint(files.shape, digests, dataset.train, dataset.evaluation);
    for (const layer of this.engine.plan.buffers.adapters.keys()) {
      for (const site of loraSites(files.shape))
        this.engine.writeAdapter(layer, site.a, initialA(config.seed, layer, site.part, config.loraRank, site.op.in));
    }
  }

  async #restore(reader: CheckpointReader): Promise<void> {
    const state = await readCheckpointState(reader);
    if (state.fingerprint !== this.#fingerprint) {
      throw new AppError(
        'CHECKPOINT_MISMATCH',
        'The checkpoint was written by a run with another model or other data.',
        'Give the model and data of that run.',
      );
    }
    for (const [layer, parked] of await restoreCheckpoint(this.engine, reader)) this.trainer.parkedStates.set(layer, parked);
    this.trainer.resume(state.trainer);
    this.#loader.restore(state.loader);
    this.#evalLoss = [...state.evalLoss];
    this.#tokens = state.tokens;
    this.#seconds = state.seconds;
    this.#savedStep = state.trainer.step;
  }

  #state(): CheckpointState {
    return {
      version: 1,
      runId: this.#host.runId ?? '',
      config: this.inputs.config,
      trainer: this.trainer.state(),
      loader: this.#loader.state(),
      fingerprint: this.#fingerprint,
      schedule: this.schedule,
      evalLoss: this.#evalLoss,
      tokens: this.#tokens,
      seconds: this.#seconds,
      kernels: this.engine.plan.input.kernels,
    };
  }

  #kernels(): string {
    const { matmul, attention } = this.engine.plan.input.kernels;
    return `matmul ${matmul}, attention ${attention}`;
  }

  #prepared(): Prepared {
    const { files, dataset } = this.inputs;
    const { parameters, trainable } = this.report();
    return {
      modelName: files.name,
      shape: files.shape,
      parameters,
      trainable,
      data: dataset.summary,
      device: this.engine.gpu.description,
      forecasts: this.forecasts,
      schedule: this.schedule,
      blocks: blockBytes(this.engine.plan),
      firstStep: this.trainer.completed + 1,
    };
  }

  /** Waits for the figures of a submitted step and tells them. */
  async #report(step: number, lr: number, data: StepData, activeLayers: readonly number[]): Promise<void> {
    const stats = await this.trainer.stats();
    if (stats.bad) {
      throw new AppError(
        'NONFINITE_LOSS',
        `The loss or the gradient of step ${step} is not a finite number. No weight was changed by it.`,
        'Lower the learning rate (a third is a good start) and go on from the last checkpoint.',
      );
    }
    const now = performance.now();
    const stepMs = now - this.#mark;
    this.#mark = now;
    this.#tokens += data.tokens;
    this.#seconds += stepMs / 1000;
    const memory = withTotal(this.ledger().live);
    this.#host.emit({
      type: 'step',
      metrics: {
        step,
        loss: stats.loss,
        lr,
        gradNorm: stats.gradNorm,
        tokens: data.tokens,
        targets: data.targets,
        activeLayers,
        stepMs,
        memory,
      },
    });
  }

  /** Mean loss over the targets of the held-out samples. */
  async #evaluate(): Promise<void> {
    await this.drain();
    const { config, dataset } = this.inputs;
    if (dataset.evaluation.length === 0) return;
    this.#phase('evaluating');
    let sum = 0;
    let targets = 0;
    const batches = evalBatches(dataset.evaluation, config.batchSize, config.seqLen);
    for (const [index, batch] of batches.entries()) {
      await this.#checkDiscarded();
      sum += await this.engine.evaluate(batch);
      targets += batch.targets;
      this.#host.emit({ type: 'phase', phase: 'evaluating', fraction: (index + 1) / batches.length });
    }
    const step = this.trainer.completed;
    const loss = sum / targets;
    this.#evalLoss.push({ step, loss });
    this.#host.emit({ type: 'eval', step, loss, targets });
    this.#resumeClock();
  }

  async #sampleAll(when: Sample['when']): Promise<void> {
    this.#phase('sampling');
    const step = this.trainer.completed;
    for (const [index, prompt] of this.inputs.prompts.entries()) {
      const text = await this.complete(prompt.ids, index);
      await this.#checkDiscarded();
      this.#host.emit({ type: 'sample', sample: { when, step, prompt: prompt.text, text } });
    }
  }

  async #checkDiscarded(): Promise<void> {
    if (!this.#host.discarded()) return;
    await this.drain();
    throw new Discarded();
  }

  #phase(phase: 'training' | 'evaluating' | 'sampling' | 'saving'): void {
    this.#host.emit({ type: 'phase', phase });
  }

  #resumeClock(): void {
    this.#mark = performance.now();
    if (!this.#ended && this.trainer.completed > 0 && this.trainer.completed < this.inputs.config.steps) this.#phase('training');
  }
}
