// An optimizer step and what surrounds it: the learning rate, the layers of the period, the optimizer's counts.
// Method-specific behaviour ends here; the session above it only knows steps.

import type { RunConfig } from '../config/run-config';
import type { StepData } from '../data/batch/loader';
import { LayerController, type SlotState } from '../lisa/controller';
import type { StepPlan } from '../plan/step-plan';
import { adamwScalars } from '../shaders/adamw/adamw';
import type { StepStats } from '../shaders/loss/stats';
import type { Engine, ScalarRow } from '../engine/engine';
import { learningRate, rewarmed } from '../config/learning-rate';

/** Layers of period i, ascending. */
export type Draw = (period: number) => readonly number[];

/** Optimizer state of a layer that is not in training, kept in host memory (--lisa-state park). */
export interface ParkedState {
  readonly m: Uint8Array<ArrayBuffer>;
  readonly v: Uint8Array<ArrayBuffer>;
}

export interface TrainerState {
  /** Completed optimizer steps. */
  readonly step: number;
  readonly slots: readonly SlotState[];
  /** [layer, updates] of parked layers. */
  readonly parked: readonly (readonly [number, number])[];
}

export class Trainer {
  readonly engine: Engine;
  readonly #config: RunConfig;
  readonly #draw: Draw;
  readonly #controller: LayerController;
  readonly parkedStates = new Map<number, ParkedState>();
  #completed = 0;
  #plan: StepPlan | null = null;
  #active: readonly number[] = [];

  constructor(engine: Engine, config: RunConfig, draw: Draw) {
    this.engine = engine;
    this.#config = config;
    this.#draw = draw;
    this.#controller = new LayerController(engine.plan.buffers.slots.length, config.lisaState === 'park');
  }

  /** Optimizer steps submitted so far. */
  get completed(): number {
    return this.#completed;
  }

  /** Layers in training, ascending. */
  get activeLayers(): readonly number[] {
    return this.#active;
  }

  /** Rate of the next step. */
  get lr(): number {
    return learningRate(this.#config, this.#completed);
  }

  /** The plan of the steps in the current period. */
  get stepPlan(): StepPlan | null {
    return this.#plan;
  }

  /** Submits one optimizer step; at the first of a period, the switch of layers before it. */
  async submit(batch: StepData): Promise<void> {
    const lisa = this.#config.method === 'lisa';
    if (!this.#plan || (lisa && this.#completed % this.#config.lisaPeriod === 0)) await this.#switch();
    await this.engine.submitStep(this.#plan!, batch.microBatches, batch.targets, this.#scalars());
    this.#controller.countUpdate();
    this.#completed++;
  }

  /** Figures of the last submitted step. */
  stats(): Promise<StepStats> {
    return this.engine.stepStats();
  }

  state(): TrainerState {
    return { step: this.#completed, slots: this.#controller.slots().map((s) => ({ ...s })), parked: [...this.#controller.parked()] };
  }

  /** Goes on from a checkpoint's state; buffers and parkedStates are the caller's to fill. */
  resume(state: TrainerState): void {
    this.#controller.resume(state.slots, state.parked);
    this.engine.adopt(this.#controller.assignment());
    this.#completed = state.step;
    this.#usePlan();
  }

  async #switch(): Promise<void> {
    const { layers } = this.engine.plan.input.shape;
    const period = Math.floor(this.#completed / this.#config.lisaPeriod);
    const drawn = this.#config.method === 'lisa' ? this.#draw(period) : Array.from({ length: layers }, (_, i) => i);
    await this.engine.switchLayers(this.#controller.switchTo(drawn), this.parkedStates);
    this.#usePlan();
  }

  #usePlan(): void {
    const assignment = this.#controller.assignment();
    this.#active = [...assignment.keys()].sort((a, b) => a - b);
    this.#plan = this.#active.length > 0 ? this.engine.plan.step(assignment) : null;
  }

  /** One row per trainable: embedding, norm, head, then the slots. Each state has its own bias correction. */
  #scalars(): ScalarRow[] {
    const { weightDecay, beta1, beta2, method, lisaRewarm } = this.#config;
    const row = (updates: number, lr: number): ScalarRow => adamwScalars(lr, weightDecay, beta1, beta2, updates + 1);
    const { lr } = this;
    const edges = Array.from({ length: 3 }, () => row(this.#completed, lr));
    const joined = (updates: number): number => (method === 'lisa' ? rewarmed(lr, updates, lisaRewarm) : lr);
    return [...edges, ...this.#controller.slots().map(({ updates }) => row(updates, joined(updates)))];
  }
}
