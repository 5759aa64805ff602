// A run from its first evaluation to its last: the loop around the steps. One object owns the state; the page's worker and
// the command line are thin shells around it and learn everything from events.

import { Loader } from '../data/batch/loader';
import { AppError } from '../base/errors';
import type { Gpu } from '../gpu/device';
import { AdaptiveImportance, adaptiveTurns } from '../lisa/adaptive';
import { LayerController } from '../lisa/controller';
import { listPeriods, periodOf, startsPeriod, turnsOf, type Period } from '../lisa/schedule';
import { SHARD_BYTES } from '../model/shards';
import { KERNEL_SET, scheduleConfig } from '../plan/input';
import { withTotal } from '../dispatch/memory';
import {
  checkpointFile,
  kernelSetsAfter,
  readCheckpointState,
  restoreCheckpoint,
  type CheckpointState,
  type KernelSetUse,
} from './checkpoint';
import type { CheckpointReader } from '../io/formats/checkpoints';
import { diverged, largestWeight } from './divergence';
import type { Engine } from '../engine/engine';
import { Evaluations } from './evaluation';
import { frozenBlocks, FrozenProof } from './frozen-proof';
import { loadModel } from './load-model';
import { openEngine } from './open-engine';
import type { RunInputs } from './prepare';
import { PeriodWatch } from './period-watch';
import type { PeriodUpdate, Phase, RunReport, Sample } from './events';
import { forecastMethods, preparedOf, reportOf, type Forecasts } from './run-report';
import { completions, isSampleStep } from './sampling';
import { Saves } from './saves';
import { Discarded, type SessionHost } from './session-host';
import { takeStep, type StepState } from './step';
import { tunedTensor } from './tuned';
import { UnderWay } from './under-way';

export class Session {
  readonly inputs: RunInputs;
  readonly engine: Engine;
  readonly state: StepState;
  readonly evaluations: Evaluations;
  readonly forecasts: Forecasts;
  /** Where layers are drawn by what the run measures of them; null where draws follow from the settings alone. */
  readonly adaptive: AdaptiveImportance | null;
  readonly #host: SessionHost;
  readonly #loader: Loader;
  readonly #watch: PeriodWatch | null;
  readonly #proof: FrozenProof | null;
  readonly #schedule: readonly Period[];
  #fingerprint = '';
  /** Of the model's shape and weights before training. */
  modelFingerprint = '';
  #updates: PeriodUpdate[] = [];
  /** The sets of kernels of this run, the present one last. */
  kernelSets: readonly KernelSetUse[] = [{ set: KERNEL_SET, step: 0 }];
  readonly #saves: Saves;
  readonly #underWay: UnderWay;
  #phase: Phase = 'preparing';

  /** Allocates, loads the weights or the checkpoint, and is ready to run. `shardBytes`: where blocks are cut (tests cut them sooner). */
  static async create(
    gpu: Gpu,
    inputs: RunInputs,
    host: SessionHost,
    from: CheckpointReader | null = null,
    shardBytes: number = SHARD_BYTES,
  ): Promise<Session> {
    host.emit({ type: 'phase', phase: 'preparing' });
    const onWrong = (detail: string): void => host.emit({ type: 'phase', phase: 'preparing', detail });
    const engine = await openEngine(gpu, inputs, { from, shardBytes, scratch: host.scratch, onWrong });
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
    this.#loader = new Loader(dataset.train, config);
    const draws = scheduleConfig(files.shape, config);
    this.adaptive = draws.adapts ? new AdaptiveImportance(draws) : null;
    this.state = {
      config,
      engine,
      loader: this.#loader,
      turns: this.adaptive ? adaptiveTurns(config, draws, this.adaptive) : turnsOf(config, draws),
      controller: new LayerController(engine.plan.buffers.slots.length, config.lisaState === 'park', engine.plan.input.sampled),
      parked: new Map(),
      onLeft: (layer) => this.#proof?.noteLeft(layer) ?? Promise.resolve(),
      completed: 0,
    };
    this.#schedule = this.adaptive ? [] : listPeriods(this.state.turns, config.steps);
    this.#proof = host.proof && config.method !== 'full' ? new FrozenProof(engine) : null;
    const watch = { measure: config.measureUpdates, proof: this.#proof };
    this.#watch = config.method === 'lisa' && (watch.measure || watch.proof) ? new PeriodWatch(engine, watch) : null;
    this.evaluations = new Evaluations(engine, inputs, {
      emit: (event) => host.emit(event),
      begin: async () => {
        await this.drain();
        this.#enter('evaluating');
      },
      check: () => this.#restIfPaused(),
    });
    this.forecasts = forecastMethods(inputs);
    this.#saves = new Saves(host, config);
    this.#underWay = new UnderWay((figures, layerNorms) => {
      for (const [layer, value] of layerNorms ?? []) this.adaptive?.note(layer, value);
      host.emit({ type: 'step', metrics: { ...figures, memory: withTotal(engine.allocator.reading().live) } });
    }, config.gradClipMode);
  }

  /** LISA's periods; empty if one period holds the whole run. Where draws follow from what is measured, those that have begun. */
  get schedule(): readonly Period[] {
    return this.adaptive?.periods ?? this.#schedule;
  }

  /** Step of the last checkpoint of this run, if one was written or read. */
  get savedStep(): number | null {
    return this.#saves.step;
  }

  /**
   * The last step whose figures are sound. Where a later one failed, the weights are those after it, unless gradients are clipped one by one:
   * then the failed step has changed what was finite.
   */
  get lastGoodStep(): number {
    return this.#underWay.goodStep;
  }

  /** Trains to the end (or until the gate answers stop) and reports. The engine stays open for export and sampling. */
  async run(): Promise<RunReport> {
    try {
      return await this.#train();
    } catch (thrown) {
      if (!(thrown instanceof AppError) || thrown.code !== 'NONFINITE_LOSS') throw thrown;
      const updates = this.lastGoodStep;
      const largest = updates === 0 ? await largestWeight(this.engine, this.inputs.files.table).catch(() => null) : null;
      throw diverged(thrown, this.inputs.config, updates, largest);
    }
  }

  /**
   * Makes the run end at its last good step, after a step that failed or at a checkpoint that was opened; nothing trains after it.
   * Writes no checkpoint. Throws NONFINITE_LOSS if those weights have no finite loss either.
   */
  async endAtLastGood(): Promise<RunReport> {
    await this.drain().catch(() => undefined);
    const step = this.lastGoodStep;
    this.state.completed = step;
    if (this.evaluations.losses.at(-1)?.step !== step) await this.evaluations.measure(step);
    await this.evaluations.roundBack(step);
    return this.report();
  }

  async #train(): Promise<RunReport> {
    const { config } = this.inputs;
    const { state, evaluations } = this;
    const { stepsPerPeriod } = state.turns;
    this.#host.emit({ type: 'prepared', prepared: preparedOf(this, state.completed + 1) });
    if (state.completed === 0 && evaluations.losses.length === 0) {
      await evaluations.measure(0);
      await this.#sample('before');
    }
    let stopped = false;
    while (state.completed < config.steps) {
      stopped = !(await this.#mayGo());
      if (stopped) break;

      // ── sample: another step follows, so this is not the end, which has samples of its own ──────────────────────
      if (config.sampleAt === 'log' && isSampleStep(state.completed)) await this.#sample('during');

      // ── step ────────────────────────────────────────────────────────────────────────────────────────────────────
      this.#enterTraining();
      if (startsPeriod(state.completed, stepsPerPeriod)) await this.#beginPeriod();
      await this.#underWay.step(await takeStep(state));
      const done = state.completed;
      const goesOn = done < config.steps;

      // ── end of the period ───────────────────────────────────────────────────────────────────────────────────────
      if (startsPeriod(done, stepsPerPeriod)) await this.#endPeriod();

      // ── evaluate ────────────────────────────────────────────────────────────────────────────────────────────────
      if (goesOn && config.evalEvery > 0 && done % config.evalEvery === 0) await evaluations.measure(done);

      // ── checkpoint ──────────────────────────────────────────────────────────────────────────────────────────────
      if (goesOn && this.#saves.isDue(done, this.#underWay.seconds)) await this.save();
    }
    await this.drain();
    const end = state.completed;
    if (!startsPeriod(end, stepsPerPeriod)) await this.#endPeriod();
    if (evaluations.losses.at(-1)?.step !== end) await evaluations.measure(end);
    if (this.#host.keep) await this.keep();
    else if (this.#saves.on) await this.save();
    // After the last checkpoint, which has the masters: a run that goes on from there has lost nothing.
    await evaluations.roundBack(end);
    await this.#sample('after');
    if (this.#host.measureExport && this.engine.truth) await evaluations.measureExported(end, 'f32', tunedTensor(this));
    const report = this.report();
    this.#host.emit({ type: 'done', report, stopped });
    return report;
  }

  /** Asks the gate until it answers that a step may run (true) or that the run ends (false). */
  async #mayGo(): Promise<boolean> {
    for (;;) {
      const answer = await this.#host.gate();
      await this.#checkDiscarded();
      if (answer === 'go' || answer === 'stop') return answer === 'go';
      await this[answer]();
    }
  }

  /** Waits for the step under way and throws its error, if it failed. */
  drain(): Promise<void> {
    return this.#underWay.drain();
  }

  /** Called before the first step of a period, when all that came before it has been measured. */
  async #beginPeriod(): Promise<void> {
    const { completed, turns } = this.state;
    const period = periodOf(completed + 1, turns.stepsPerPeriod);
    await this.#watch?.begin(turns.layersOf(period));
    if (this.adaptive) this.#host.emit({ type: 'importance', period, layers: turns.layersOf(period), weights: this.adaptive.weights });
  }

  /** Called after the last step of a period, and if the run ends inside one. */
  async #endPeriod(): Promise<void> {
    await this.drain();
    const { completed, config, turns } = this.state;
    const over = startsPeriod(completed, turns.stepsPerPeriod);
    const layers = (await this.#watch?.end(over, this.state.controller.drawn())) ?? [];
    if (layers.length > 0) {
      const period = periodOf(completed, turns.stepsPerPeriod);
      // A run that was stopped and resumed measures the same period again, from its beginning.
      if (this.#updates.at(-1)?.period === period) this.#updates.pop();
      this.#updates.push({ period, layers });
      this.#host.emit({ type: 'moved', step: completed, period, layers });
      if (config.lisaAdapt === 'updates' && over) for (const { layer, change } of layers) this.adaptive?.note(layer, change);
    }
    if (this.#host.proof === 'every period') await this.verify();
  }

  async #sample(when: Sample['when']): Promise<void> {
    await this.drain();
    this.#enter('sampling');
    const step = this.state.completed;
    for await (const made of completions(this.engine, this.inputs, () => this.#restIfPaused())) {
      this.#host.emit({ type: 'sample', sample: { when, step, ...made } });
    }
  }

  /** Reads the frozen weights back and reports whether they are bit for bit unchanged. */
  async verify(): Promise<void> {
    await this.drain();
    const step = this.state.completed;
    const frozen = frozenBlocks(this.engine, this.state.controller.layers(), this.state.controller.drawn());
    const changed = (await this.#proof?.changed(frozen)) ?? [];
    this.#host.emit({ type: 'verified', step, frozen, changed });
    this.#underWay.resumeClock();
    if (changed.length > 0 && this.#host.proof === 'every period')
      throw new AppError('INTERNAL', `After step ${step}, frozen weights have changed: ${changed.join(', ')}.`, 'Please report it.');
  }

  /** Hands the weights as they are now to the host, which stores them. The run has ended, or is at its end. */
  async keep(): Promise<void> {
    await this.drain();
    if (!this.#host.keep) return;
    this.#enter('saving');
    const now = this.#checkpointState();
    const state = { ...now, ended: true, trainer: { ...now.trainer, parked: [] } };
    const nothing = { parked: new Map<number, never>(), before: new Map<number, never>() };
    await this.#host.keep(
      state.trainer.step,
      checkpointFile(this.engine, nothing, state, () => this.#checkDiscarded()),
    );
    await this.#checkDiscarded();
  }

  #checkpointState(): CheckpointState {
    const { completed: step, controller } = this.state;
    return {
      version: 2,
      runId: this.#host.runId ?? '',
      config: this.inputs.config,
      trainer: { step, slots: [...controller.slots()], parked: [...controller.parked()], blocks: controller.blocks() },
      loader: this.#loader.state(),
      fingerprint: this.#fingerprint,
      evalLoss: this.evaluations.losses,
      updates: this.#updates,
      ...(this.adaptive && { importance: this.adaptive.state() }),
      tokens: this.#underWay.tokens,
      seconds: this.#underWay.seconds,
      kernels: this.engine.plan.input.kernels,
      kernelSets: this.kernelSets,
    };
  }

  /** Writes a checkpoint of the state as it is now. */
  async save(): Promise<void> {
    await this.drain();
    if (!this.#host.checkpoints) return;
    this.#enter('saving');
    const { completed: step, parked, turns } = this.state;
    // Between two periods there is nothing to keep: the next one begins by reading its layers.
    const before =
      (startsPeriod(step, turns.stepsPerPeriod) ? undefined : this.#watch?.before) ?? new Map<number, Uint8Array<ArrayBuffer>>();
    const check = (): Promise<void> => this.#checkDiscarded();
    const file = checkpointFile(this.engine, { parked, before }, this.#checkpointState(), check);
    await this.#saves.write(step, this.#underWay.seconds, file, check);
  }

  /** Called before the run waits for a person. */
  async pause(): Promise<void> {
    await this.drain();
    this.#enter('paused');
  }

  /** From now on, only checkpoints that are requested are written. */
  stopSaving(): void {
    this.#saves.stop();
  }

  report(): RunReport {
    const { tokens, seconds } = this.#underWay;
    const tokensPerSecond = seconds > 0 ? tokens / seconds : 0;
    const { losses: evalLoss, rounding } = this.evaluations;
    return reportOf(this, {
      steps: this.state.completed,
      tokensPerSecond,
      updates: this.#updates,
      evalLoss,
      ...(rounding && { rounding }),
    });
  }

  close(): void {
    this.engine.close();
  }

  async #load(): Promise<void> {
    const { run, model } = await loadModel(this.engine, this.inputs, async (piece, fraction) => {
      await this.#checkDiscarded();
      await this.#proof?.notePiece(piece);
      this.#host.emit({ type: 'phase', phase: 'loading', fraction });
    });
    this.#fingerprint = run;
    this.modelFingerprint = model;
  }

  async #restore(reader: CheckpointReader): Promise<void> {
    const state = await readCheckpointState(reader);
    if (state.fingerprint !== this.#fingerprint) {
      throw new AppError(
        'CHECKPOINT_MISMATCH',
        'The checkpoint was written by a run with another model or other data.',
        'Choose the model and data of that run.',
      );
    }
    const { parked, before } = await restoreCheckpoint(this.engine, reader, (name) => this.#proof?.noteBlock(name));
    const { controller } = this.state;
    controller.resume(state.trainer.slots, state.trainer.parked, state.trainer.blocks);
    this.engine.adopt(controller.assignment());
    // What their blocks hold is older than their masters, which is what they will leave with.
    for (const layer of this.engine.layersInMasters) await this.#proof?.noteBlock(`layer.${layer}`);
    for (const [layer, kept] of parked) this.state.parked.set(layer, kept);
    this.state.completed = state.trainer.step;
    this.#watch?.restore(controller.layers(), before);
    this.#loader.restore(state.loader);
    this.evaluations.restore(state.evalLoss);
    this.#updates = [...state.updates];
    if (state.importance) this.adaptive?.restore(state.importance);
    this.kernelSets = kernelSetsAfter(state);
    this.#underWay.restore(state.trainer.step, state.tokens, state.seconds);
    this.#saves.resumed(state.trainer.step, state.seconds);
  }

  async #checkDiscarded(): Promise<void> {
    if (!this.#host.discarded()) return;
    await this.drain();
    throw new Discarded();
  }

  /** Called often inside samples and evaluations, where a pause is not kept waiting for their end. */
  async #restIfPaused(): Promise<void> {
    const phase = this.#phase;
    await this.#host.rest?.(() => this.#enter('paused'));
    await this.#checkDiscarded();
    if (this.#phase !== phase) this.#enter(phase);
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#host.emit({ type: 'phase', phase });
  }

  /** Time that passed in another phase is not training time. */
  #enterTraining(): void {
    if (this.#phase === 'training') return;
    this.#enter('training');
    this.#underWay.resumeClock();
  }
}
