// Per-step numbers of the run, in columns outside React. Charts learn of new steps at most ten times a second.

import { useSyncExternalStore } from 'react';
import type { MemoryClass } from '../plan/types';
import type { LayerMove, StepMetrics } from '../train/protocol';
import { Column } from './columns';

/** Measured bytes are shown in six groups, of one or more memory classes each. */
export const MEMORY_GROUPS = ['weights', 'gradients', 'optimizer', 'activations', 'workspace', 'other'] as const;
export type MemoryGroup = (typeof MEMORY_GROUPS)[number];

const GROUP_OF: Readonly<Record<MemoryClass, MemoryGroup>> = {
  weights: 'weights',
  masters: 'weights',
  gradients: 'gradients',
  optimizer: 'optimizer',
  activations: 'activations',
  workspace: 'workspace',
  inputs: 'other',
  cache: 'other',
  staging: 'other',
};

export type GroupBytes = Readonly<Record<MemoryGroup, number>>;

export function groupBytes(bytes: Readonly<Record<MemoryClass, number>>): GroupBytes {
  const sums: Record<MemoryGroup, number> = { weights: 0, gradients: 0, optimizer: 0, activations: 0, workspace: 0, other: 0 };
  for (const name of Object.keys(GROUP_OF) as MemoryClass[]) sums[GROUP_OF[name]] += bytes[name];
  return sums;
}

/** A period as it was trained: from the step events, not from the schedule. */
export interface ObservedPeriod {
  readonly period: number;
  readonly firstStep: number;
  readonly lastStep: number;
  readonly layers: readonly number[];
  readonly firstLoss: number;
  readonly lastLoss: number;
}

/** Weight of the past in the smoothed loss. */
export const EMA_DECAY = 0.9;

export class RunMetrics {
  readonly step = new Column();
  readonly loss = new Column();
  /** Exponential moving average of the loss, debiased: the first value is the first loss. */
  readonly smooth = new Column();
  readonly lr = new Column();
  readonly gradNorm = new Column();
  readonly tokens = new Column();
  readonly stepMs = new Column();
  readonly memory: Readonly<Record<MemoryGroup, Column>> = {
    weights: new Column(),
    gradients: new Column(),
    optimizer: new Column(),
    activations: new Column(),
    workspace: new Column(),
    other: new Column(),
  };
  readonly total = new Column();
  /** Empty unless the run samples layers. */
  readonly periods: ObservedPeriod[] = [];
  /** By period, from 0: how far each of its layers moved. Grows when a period's layers leave. */
  readonly moved = new Map<number, readonly LayerMove[]>();
  /** Highest total at the end of a step, and its groups. */
  peak: { readonly total: number; readonly groups: GroupBytes } | null = null;
  #ema = 0;
  #emaWeight = 0;

  /** periodSteps: K, or null where layers are not sampled. */
  constructor(readonly periodSteps: number | null) {}

  push(metrics: StepMetrics): void {
    this.step.push(metrics.step);
    this.loss.push(metrics.loss);
    if (Number.isFinite(metrics.loss)) {
      this.#ema = EMA_DECAY * this.#ema + (1 - EMA_DECAY) * metrics.loss;
      this.#emaWeight = EMA_DECAY * this.#emaWeight + (1 - EMA_DECAY);
    }
    this.smooth.push(this.#emaWeight > 0 ? this.#ema / this.#emaWeight : NaN);
    this.lr.push(metrics.lr);
    this.gradNorm.push(metrics.gradNorm);
    this.tokens.push(metrics.tokens);
    this.stepMs.push(metrics.stepMs);
    const groups = groupBytes(metrics.memory);
    for (const name of MEMORY_GROUPS) this.memory[name].push(groups[name]);
    this.total.push(metrics.memory.total);
    if (!this.peak || metrics.memory.total > this.peak.total) this.peak = { total: metrics.memory.total, groups };
    if (this.periodSteps !== null) this.#notePeriod(metrics, this.periodSteps);
  }

  #notePeriod({ step, loss, activeLayers }: StepMetrics, periodSteps: number): void {
    const period = Math.floor((step - 1) / periodSteps);
    const last = this.periods.at(-1);
    if (last?.period === period) this.periods[this.periods.length - 1] = { ...last, lastStep: step, lastLoss: loss };
    else this.periods.push({ period, firstStep: step, lastStep: step, layers: [...activeLayers], firstLoss: loss, lastLoss: loss });
  }
}

/** Pause between two notices. It starts when a step arrives after the last one, so that slow drawing never starves messages. */
const NOTIFY_MS = 100;
let current = new RunMetrics(null);
let version = 0;
let timer: ReturnType<typeof setTimeout> | undefined;
const listeners = new Set<() => void>();

function notify(): void {
  clearTimeout(timer);
  timer = undefined;
  version++;
  listeners.forEach((listener) => listener());
}

export const runMetrics = (): RunMetrics => current;

export function resetMetrics(periodSteps: number | null): void {
  current = new RunMetrics(periodSteps);
  notify();
}

export function pushStep(metrics: StepMetrics): void {
  current.push(metrics);
  timer ??= setTimeout(notify, NOTIFY_MS);
}

/** Calls back after new steps, ten times a second at most. */
export function onSteps(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function noteMoved(period: number, layers: readonly LayerMove[]): void {
  current.moved.set(period, [...(current.moved.get(period) ?? []), ...layers]);
  timer ??= setTimeout(notify, NOTIFY_MS);
}

/** The columns, and a number that changes when they have grown (10 Hz at most). */
export function useMetrics(): { readonly metrics: RunMetrics; readonly version: number } {
  const seen = useSyncExternalStore(onSteps, () => version);
  return { metrics: current, version: seen };
}
