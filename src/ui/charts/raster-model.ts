// What the layer raster draws: columns of one or more periods on the step axis, and for each layer the share
// of the column's periods that train it. What is done comes from step events, what is to come from the
// seeded schedule. Pure; draw-raster.ts puts it on a canvas.

import type { ObservedPeriod } from '../../store/metrics';
import type { Period } from '../../train/protocol';

export interface RasterColumn {
  /** Periods, from 0, both inclusive. */
  readonly first: number;
  readonly last: number;
  /** On the step axis. */
  readonly from: number;
  readonly to: number;
  /** Per layer: share of the column's periods that train it, 0 to 1. */
  readonly share: Float32Array;
  /** `earlier`: before the checkpoint this run went on from; known from the schedule only. */
  readonly state: 'earlier' | 'done' | 'now' | 'planned';
}

export interface RasterInput {
  readonly schedule: readonly Period[];
  readonly observed: readonly ObservedPeriod[];
  readonly layers: number;
  /** K */
  readonly periodSteps: number;
  readonly steps: number;
  /** Last finished step. */
  readonly step: number;
  /** First step of this process. */
  readonly firstStep: number;
  readonly maxColumns: number;
}

export function rasterColumns(input: RasterInput): RasterColumn[] {
  const { schedule, observed, layers, periodSteps, steps, step, firstStep, maxColumns } = input;
  const seen = new Map(observed.map((period) => [period.period, period]));
  const count = schedule.length;
  const group = Math.max(1, Math.ceil(count / maxColumns));
  const columns: RasterColumn[] = [];
  for (let first = 0; first < count; first += group) {
    const last = Math.min(first + group, count) - 1;
    const share = new Float32Array(layers);
    for (let period = first; period <= last; period++) {
      const trained = seen.get(period)?.layers ?? schedule[period]?.layers ?? [];
      for (const layer of trained) share[layer] = (share[layer] ?? 0) + 1 / (last - first + 1);
    }
    const from = first * periodSteps;
    const to = Math.min((last + 1) * periodSteps, steps);
    columns.push({ first, last, from, to, share, state: stateOf(from, to, step, firstStep) });
  }
  return columns;
}

function stateOf(from: number, to: number, step: number, firstStep: number): RasterColumn['state'] {
  if (to < firstStep) return 'earlier';
  if (to <= step) return 'done';
  return from < step ? 'now' : 'planned';
}

/** Per layer, the periods that have trained it so far (observed only). */
export function timesTrained(observed: readonly ObservedPeriod[], layers: number): Uint32Array {
  const times = new Uint32Array(layers);
  for (const period of observed) for (const layer of period.layers) times[layer] = (times[layer] ?? 0) + 1;
  return times;
}

/** Layers that a schedule trains at least once. */
export const layersTouched = (schedule: readonly { readonly layers: readonly number[] }[]): number =>
  new Set(schedule.flatMap((period) => period.layers)).size;

export const columnAt = (columns: readonly RasterColumn[], step: number): number =>
  columns.findIndex((column) => step > column.from && step <= column.to);
