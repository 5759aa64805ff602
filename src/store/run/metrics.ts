// Per-step numbers of the run, in columns outside React. Charts learn of new steps at most ten times a second.

import { useSyncExternalStore } from 'react';
import type { MemoryTotals, MemoryCategory } from '../../dispatch/memory';
import type { LayerMove, StepMetrics } from '../../train/events';
import { Column } from './columns';

/** Measured bytes are shown in six groups, of one or more memory categories each. */
export const MEMORY_GROUPS = ['weights', 'gradients', 'optimizer', 'activations', 'workspace', 'other'] as const;
export type MemoryGroup = (typeof MEMORY_GROUPS)[number];

const GROUP_OF: Readonly<Record<MemoryCategory, MemoryGroup>> = {
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

export function groupBytes(bytes: Readonly<Record<MemoryCategory, number>>): GroupBytes {
  const sums: Record<MemoryGroup, number> = { weights: 0, gradients: 0, optimizer: 0, activations: 0, workspace: 0, other: 0 };
  for (const name of Object.keys(GROUP_OF) as MemoryCategory[]) sums[GROUP_OF[name]] += bytes[name];
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

/** Layers that left training after a period, and how far they moved in it. */
export interface PeriodMove {
  readonly period: number;
  readonly layers: readonly LayerMove[];
}

/** Live bytes by category at the end of a step, and of those after it until the next entry: they rarely change. */
export interface MemoryChange {
  readonly step: number;
  readonly bytes: MemoryTotals;
}

const FIGURES = ['step', 'loss', 'lr', 'gradNorm', 'tokens', 'stepMs', 'total'] as const;
type SavedColumn = (typeof FIGURES)[number] | MemoryGroup;

/** All numbers of a run as plain data, for IndexedDB, a message or a file. */
export interface MetricsSnapshot {
  readonly periodSteps: number | null;
  readonly columns: Readonly<Record<SavedColumn, Float64Array>>;
  readonly periods: readonly ObservedPeriod[];
  readonly moves: readonly PeriodMove[];
  readonly memoryChanges: readonly MemoryChange[];
}

const sameBytes = (a: MemoryTotals, b: MemoryTotals): boolean =>
  (Object.keys(GROUP_OF) as MemoryCategory[]).every((name) => a[name] === b[name]);

export class RunMetrics {
  readonly step: Column;
  readonly loss: Column;
  readonly lr: Column;
  readonly gradNorm: Column;
  readonly tokens: Column;
  readonly stepMs: Column;
  readonly memory: Readonly<Record<MemoryGroup, Column>>;
  readonly total: Column;
  readonly memoryChanges: MemoryChange[];
  /** K, or null where layers are not sampled. */
  readonly periodSteps: number | null;
  /** Empty unless the run samples layers. */
  readonly periods: ObservedPeriod[];
  /** In the order in which the layers left; never changed, only added to. */
  readonly moves: PeriodMove[] = [];
  /** By period, from 0: how far each of its layers moved. Grows when a period's layers leave. */
  readonly moved = new Map<number, readonly LayerMove[]>();
  /** Highest total at the end of a step, and its groups. */
  peak: { readonly total: number; readonly groups: GroupBytes } | null = null;

  constructor(periodSteps: number | null, from?: MetricsSnapshot) {
    const column = (name: SavedColumn): Column => new Column(from?.columns[name]);
    this.periodSteps = periodSteps;
    this.step = column('step');
    this.loss = column('loss');
    this.lr = column('lr');
    this.gradNorm = column('gradNorm');
    this.tokens = column('tokens');
    this.stepMs = column('stepMs');
    this.total = column('total');
    this.memory = Object.fromEntries(MEMORY_GROUPS.map((name) => [name, column(name)])) as Record<MemoryGroup, Column>;
    this.periods = [...(from?.periods ?? [])];
    this.memoryChanges = [...(from?.memoryChanges ?? [])];
    for (const { period, layers } of from?.moves ?? []) this.noteMoved(period, layers);
    for (let i = 0; i < this.total.length; i++) this.#notePeak(i);
  }

  static restore(snapshot: MetricsSnapshot): RunMetrics {
    return new RunMetrics(snapshot.periodSteps, snapshot);
  }

  /** A copy: the run may go on. */
  snapshot(): MetricsSnapshot {
    const figures = FIGURES.map((name) => [name, this[name].values().slice()]);
    const groups = MEMORY_GROUPS.map((name) => [name, this.memory[name].values().slice()]);
    return {
      periodSteps: this.periodSteps,
      columns: Object.fromEntries([...figures, ...groups]) as Record<SavedColumn, Float64Array>,
      periods: [...this.periods],
      moves: [...this.moves],
      memoryChanges: [...this.memoryChanges],
    };
  }

  push(metrics: StepMetrics): void {
    this.step.push(metrics.step);
    this.loss.push(metrics.loss);
    this.lr.push(metrics.lr);
    this.gradNorm.push(metrics.gradNorm);
    this.tokens.push(metrics.tokens);
    this.stepMs.push(metrics.stepMs);
    const groups = groupBytes(metrics.memory);
    for (const name of MEMORY_GROUPS) this.memory[name].push(groups[name]);
    this.total.push(metrics.memory.total);
    const before = this.memoryChanges.at(-1)?.bytes;
    if (!before || !sameBytes(before, metrics.memory)) this.memoryChanges.push({ step: metrics.step, bytes: metrics.memory });
    this.#notePeak(this.total.length - 1);
    if (this.periodSteps !== null) this.#notePeriod(metrics, this.periodSteps);
  }

  noteMoved(period: number, layers: readonly LayerMove[]): void {
    this.moves.push({ period, layers });
    this.moved.set(period, [...(this.moved.get(period) ?? []), ...layers]);
  }

  #notePeak(index: number): void {
    const total = this.total.at(index);
    if (this.peak && total <= this.peak.total) return;
    const groups = Object.fromEntries(MEMORY_GROUPS.map((name) => [name, this.memory[name].at(index)])) as GroupBytes;
    this.peak = { total, groups };
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

/** A run resumes: its earlier steps are back before the first new one. */
export function restoreMetrics(snapshot: MetricsSnapshot): void {
  current = RunMetrics.restore(snapshot);
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
  current.noteMoved(period, layers);
  timer ??= setTimeout(notify, NOTIFY_MS);
}

/** The columns, and a number that changes when they have grown (10 Hz at most). */
export function useMetrics(): { readonly metrics: RunMetrics; readonly version: number } {
  const seen = useSyncExternalStore(onSteps, () => version);
  return { metrics: current, version: seen };
}
