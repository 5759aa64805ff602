// A run from its first evaluation to its last. One object owns the state; the page's worker and the command
// line are thin shells around it and hear of everything through events.

import { Loader, type StepData } from '../data/batch/loader';
import { AppError } from '../base/errors';
import type { LedgerReading } from '../gpu/allocator';
import type { Gpu } from '../gpu/device';
import { drawPeriod, periodOf, schedule } from '../lisa/schedule';
import { PART_BYTES } from '../model/parts';
import { planInput, scheduleConfig } from '../plan/input';
import { withTotal } from '../dispatch/memory';
import {
  checkpointFile,
  readCheckpointState,
  restoreCheckpoint,
  type CheckpointReader,
  type CheckpointState,
  type CheckpointStore,
  type HostState,
} from './checkpoint';
import { Engine } from '../engine/engine';
import { Evaluations } from './evaluation';
import { runFingerprint, TensorDigests } from './fingerprint';
import { frozenBlocks, FrozenProof } from './frozen-proof';
import type { GateAnswer } from './gate';
import { initialA, loraSites } from '../engine/lora';
import type { RunInputs } from './prepare';
import { PeriodWatch } from './period-watch';
import type { HeldOut, LayerMove, Period, PeriodUpdate, Phase, RunEvent, RunReport, Sample } from '../worker/protocol';
import { forecastMethods, preparedOf, reportOf, type Forecasts } from './run-report';
import { completions, isSampleStep } from './sampling';
import { Trainer } from './trainer';
import { chooseKernels } from '../engine/tune';
import { loadWeights } from '../engine/weights';

export interface SessionHost {
  /** Kept in checkpoints. */
  readonly runId?: string;
  emit(event: RunEvent): void;
  readonly checkpoints: CheckpointStore | null;
  /** Asked before every step; resolves when the run may go on, is to end here, or is to do something first. */
  gate(): Promise<GateAnswer>;
  /** Makes the next answer of the gate wait for a person. Without it a checkpoint that cannot be written ends the run. */
  hold?(): void;
  /** Keeps what it takes to prove that frozen weights are unchanged; without it there is no such proof. */
  readonly proof?: 'on request' | 'every period';
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
  readonly forecasts: Forecasts;
  readonly #host: SessionHost;
  readonly #loader: Loader;
  readonly #watch: PeriodWatch | null;
  readonly #proof: FrozenProof | null;
  readonly #evaluations: Evaluations;
  #fingerprint = '';
  #updates: PeriodUpdate[] = [];
  #tokens = 0;
  #seconds = 0;
  #saving = true;
  #savedStep: number | null = null;
  #pending: Promise<void>[] = [];
  #phase: Phase = 'preparing';
  /** When the last step was done, or training began again. */
  #mark = 0;

  /** Allocates, loads the weights or the checkpoint, and is ready to run. `partBytes`: where blocks are cut (tests cut them sooner). */
  static async create(
    gpu: Gpu,
    inputs: RunInputs,
    host: SessionHost,
    from: CheckpointReader | null = null,
    partBytes: number = PART_BYTES,
  ): Promise<Session> {
    const { config, files } = inputs;
    host.emit({ type: 'phase', phase: 'preparing' });
    // What an earlier run on this device left is not this one's.
    gpu.takeFault();
    const kernels = from
      ? (await readCheckpointState(from)).kernels
      : await chooseKernels(gpu, files.shape, config.batchSize * config.seqLen);
    const engine = await Engine.create(gpu, planInput(files.shape, config, { kernels, partBytes, types: files.types }));
    try {
      const session = new Session(engine, inputs, host);
      await session.#load();
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
    this.#proof = host.proof && config.method !== 'full' ? new FrozenProof(engine) : null;
    const watch = { measure: config.measureUpdates, proof: this.#proof };
    this.#watch = config.method === 'lisa' && (watch.measure || watch.proof) ? new PeriodWatch(engine, watch) : null;
    this.#evaluations = new Evaluations(engine, inputs, {
      emit: (event) => host.emit(event),
      begin: async () => {
        await this.drain();
        this.#enter('evaluating');
      },
      check: () => this.#checkDiscarded(),
    });
    this.forecasts = forecastMethods(inputs);
  }

  /** Step of the last checkpoint of this run, if one was written or read. */
  get savedStep(): number | null {
    return this.#savedStep;
  }

  /** Trains to the end (or until the gate says stop) and reports. The engine stays open for export and sampling. */
  async run(): Promise<RunReport> {
    const { config } = this.inputs;
    this.#host.emit({ type: 'prepared', prepared: preparedOf(this, this.trainer.completed + 1) });
    if (this.trainer.completed === 0 && this.#evaluations.losses.length === 0) {
      await this.#evaluations.measure(0);
      await this.#sample('before');
    }
    let stopped = false;
    while (this.trainer.completed < config.steps) {
      stopped = !(await this.#mayGo());
      if (stopped) break;
      // Another step follows, so this is not the end, which has samples of its own.
      if (config.sampleAt === 'log' && isSampleStep(this.trainer.completed)) await this.#sample('during');
      this.#enterTraining();
      await this.#step();
      const done = this.trainer.completed;
      const last = done === config.steps;
      if (this.#periodIsOver) await this.#endPeriod();
      if (config.evalEvery > 0 && done % config.evalEvery === 0 && !last) await this.#evaluations.measure(done);
      if (config.saveEvery > 0 && done % config.saveEvery === 0 && !last && this.#saving) await this.save();
    }
    await this.drain();
    if (!this.#periodIsOver) await this.#endPeriod();
    const end = this.trainer.completed;
    if (this.#evaluations.losses.at(-1)?.step !== end) await this.#evaluations.measure(end);
    if (this.#saving) await this.save();
    // After the last checkpoint, which has the masters: a run that goes on from there has lost nothing.
    await this.#evaluations.roundBack(end);
    await this.#sample('after');
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

  /** Before a wait for a person. */
  async pause(): Promise<void> {
    await this.drain();
    this.#enter('paused');
  }

  /** From now on only those checkpoints are written that are asked for. */
  stopSaving(): void {
    this.#saving = false;
  }

  /** Writes a checkpoint of the state as it is now. */
  async save(): Promise<void> {
    const { checkpoints } = this.#host;
    await this.drain();
    if (!checkpoints) return;
    this.#enter('saving');
    const step = this.trainer.completed;
    try {
      const file = checkpointFile(this.engine, this.#hostState(), this.#state(), () => this.#checkDiscarded());
      await checkpoints.write(step, file);
    } catch (thrown) {
      await this.#checkDiscarded();
      if (!this.#host.hold || !(thrown instanceof AppError) || thrown.code !== 'STORAGE') throw thrown;
      this.#host.emit({ type: 'saveFailed', step, error: thrown.toInfo() });
      this.#host.hold();
      return;
    }
    this.#savedStep = step;
    this.#host.emit({ type: 'checkpoint', step });
  }

  /** Reads the frozen weights back and tells whether they are bit for bit what they were. */
  async verify(): Promise<void> {
    await this.drain();
    const step = this.trainer.completed;
    const frozen = frozenBlocks(this.engine, this.trainer.activeLayers);
    const changed = (await this.#proof?.changed(frozen)) ?? [];
    this.#host.emit({ type: 'verified', step, frozen, changed });
    this.#mark = performance.now();
    if (changed.length > 0 && this.#host.proof === 'every period')
      throw new AppError(
        'INTERNAL',
        `After step ${step} frozen weights differ from what they were: ${changed.join(', ')}.`,
        'Please report it.',
      );
  }

  ledger(): LedgerReading {
    return this.engine.allocator.reading();
  }

  report(): RunReport {
    const tokensPerSecond = this.#seconds > 0 ? this.#tokens / this.#seconds : 0;
    const { losses: evalLoss, rounding } = this.#evaluations;
    return reportOf(this, { tokensPerSecond, updates: this.#updates, evalLoss, ...(rounding && { rounding }) });
  }

  close(): void {
    this.engine.close();
  }

  async #load(): Promise<void> {
    const { config, files, dataset } = this.inputs;
    const digests = new TensorDigests();
    await loadWeights(this.engine, files, async (piece, fraction) => {
      await this.#checkDiscarded();
      digests.add(piece);
      await this.#proof?.notePiece(piece);
      this.#host.emit({ type: 'phase', phase: 'loading', fraction });
    });
    this.#fingerprint = runFingerprint(files.shape, digests.all, dataset.train, dataset.evaluation);
    for (const layer of this.engine.plan.buffers.adapters.keys()) {
      for (const site of loraSites(files.shape))
        this.engine.writeAdapter(layer, site.a, initialA(config.seed, layer, site.slice, config.loraRank, site.op.in));
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
    const { parked, before } = await restoreCheckpoint(this.engine, reader, (name) => this.#proof?.noteBlock(name));
    for (const [layer, state] of parked) this.trainer.parkedStates.set(layer, state);
    this.trainer.resume(state.trainer);
    this.#watch?.restore(this.trainer.activeLayers, before);
    this.#loader.restore(state.loader);
    this.#evaluations.restore(state.evalLoss);
    this.#updates = [...state.updates];
    this.#tokens = state.tokens;
    this.#seconds = state.seconds;
    this.#savedStep = state.trainer.step;
  }

  #hostState(): HostState {
    // Between two periods the next begins by reading its layers.
    return { parked: this.trainer.parkedStates, before: this.#watch && !this.#periodIsOver ? this.#watch.before : new Map() };
  }

  #state(): CheckpointState {
    return {
      version: 2,
      runId: this.#host.runId ?? '',
      config: this.inputs.config,
      trainer: this.trainer.state(),
      loader: this.#loader.state(),
      fingerprint: this.#fingerprint,
      schedule: this.schedule,
      evalLoss: this.#evaluations.losses,
      updates: this.#updates,
      tokens: this.#tokens,
      seconds: this.#seconds,
      kernels: this.engine.plan.input.kernels,
    };
  }

  /** Asks the gate until it says that a step may go (true) or that none comes any more. */
  async #mayGo(): Promise<boolean> {
    for (;;) {
      const answer = await this.#host.gate();
      await this.#checkDiscarded();
      if (answer === 'go' || answer === 'stop') return answer === 'go';
      await this[answer]();
    }
  }

  /** The steps so far are whole periods. Without sampled layers the run is one period. */
  get #periodIsOver(): boolean {
    const { method, lisaPeriod } = this.inputs.config;
    return method === 'lisa' && this.trainer.completed % lisaPeriod === 0;
  }

  async #step(): Promise<void> {
    if (this.#periodIsOver) await this.#watch?.begin(this.schedule[this.trainer.completed / this.inputs.config.lisaPeriod].layers);
    const data = this.#loader.nextStep();
    const { lr } = this.trainer;
    await this.trainer.submit(data);
    const reported = this.#report(this.trainer.completed, lr, data, this.trainer.activeLayers);
    // Awaited later; until then a failure must not count as one that nobody handles.
    reported.catch(() => undefined);
    this.#pending.push(reported);
    if (this.#pending.length > LOOKAHEAD) await this.#pending.shift();
  }

  /** After the last step of a period, and where the run ends inside of one. */
  async #endPeriod(): Promise<void> {
    await this.drain();
    if (this.#watch) this.#noteUpdates(await this.#watch.end(this.#periodIsOver));
    if (this.#host.proof === 'every period') await this.verify();
  }

  #noteUpdates(layers: readonly LayerMove[]): void {
    if (layers.length === 0) return;
    const step = this.trainer.completed;
    const period = periodOf(step, this.inputs.config.lisaPeriod);
    // A run that was stopped and goes on measures the same period again, from its beginning.
    if (this.#updates.at(-1)?.period === period) this.#updates.pop();
    this.#updates.push({ period, layers });
    this.#host.emit({ type: 'moved', step, period, layers });
  }

  /** Waits for the figures of a submitted step and tells them. */
  async #report(step: number, lr: number, data: StepData, activeLayers: readonly number[]): Promise<void> {
    const { loss, gradNorm, bad } = await this.trainer.stats();
    if (bad) {
      throw new AppError(
        'NONFINITE_LOSS',
        `The loss or the gradient of step ${step} is not a finite number. No weight was changed by it.`,
        'Start again with a lower learning rate (a third is a good start): a resumed run keeps its rate and would come to the same end.',
      );
    }
    const now = performance.now();
    const stepMs = now - this.#mark;
    this.#mark = now;
    const { tokens, targets } = data;
    this.#tokens += tokens;
    this.#seconds += stepMs / 1000;
    const memory = withTotal(this.ledger().live);
    this.#host.emit({ type: 'step', metrics: { step, loss, lr, gradNorm, tokens, targets, activeLayers, stepMs, memory } });
  }

  /** The held-out loss once more, of weights that were rounded to an export's type since the run ended. Nothing can be trained after that. */
  evaluateRounded(weights: NonNullable<HeldOut['weights']>): Promise<void> {
    return this.#evaluations.measure(this.trainer.completed, weights);
  }

  async #sample(when: Sample['when']): Promise<void> {
    await this.drain();
    this.#enter('sampling');
    const step = this.trainer.completed;
    for await (const made of completions(this.engine, this.inputs, () => this.#host.discarded())) {
      await this.#checkDiscarded();
      this.#host.emit({ type: 'sample', sample: { when, step, ...made } });
    }
  }

  async #checkDiscarded(): Promise<void> {
    if (!this.#host.discarded()) return;
    await this.drain();
    throw new Discarded();
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#host.emit({ type: 'phase', phase });
  }

  /** Time that passed in anything else is not training time. */
  #enterTraining(): void {
    if (this.#phase === 'training') return;
    this.#enter('training');
    this.#mark = performance.now();
  }
}
