// What the layer raster draws: columns of one or more periods on the step axis, and for each layer of a column the share of the
// periods that train it, how far it moved, and how long it had not been trained. The past comes from step events, the future
// from the seeded schedule. An update costs only the new periods. Pure.

import type { ObservedPeriod, PeriodMove } from '../../store/run/metrics';
import type { Period } from '../../lisa/schedule';
import { layersTouched } from './raster-size';

export interface RasterColumn {
  /** Periods, from 0, both inclusive. */
  readonly first: number;
  readonly last: number;
  /** On the step axis. */
  readonly from: number;
  readonly to: number;
  /** Per layer: share of the column's periods that train it, 0 to 1. */
  readonly share: Float32Array;
  /** Per layer: periods since the last one that trained it, at the end of the column; −1: never trained. */
  readonly age: Int32Array;
  /** Per layer: the largest measured ‖ΔW‖/‖W‖ of the column's periods; NaN: not measured. */
  readonly change: Float32Array;
}

export type ColumnState = 'earlier' | 'done' | 'now' | 'planned';

export interface RasterInput {
  readonly schedule: readonly Period[];
  readonly layers: number;
  /** K */
  readonly periodSteps: number;
  readonly steps: number;
  readonly maxColumns: number;
}

export class RasterModel {
  readonly columns: readonly RasterColumn[];
  /** Per layer: how many periods have trained it so far (observed only). */
  readonly times: Uint32Array;
  /** Layers that were trained at least once so far, and layers that the whole schedule trains. */
  touched = 0;
  readonly planned: number;
  /** Smallest and largest measured change; NaN: none yet. */
  smallest = NaN;
  largest = NaN;
  /** Changes when anything above does. */
  revision = 0;
  readonly #group: number;
  /** Layers by period, for periods that trained other layers than the schedule says. */
  readonly #otherwise = new Map<number, readonly number[]>();
  #observed = 0;
  #moves = 0;

  constructor(readonly input: RasterInput) {
    const { schedule, layers, periodSteps, steps, maxColumns } = input;
    this.#group = Math.max(1, Math.ceil(schedule.length / maxColumns));
    this.columns = Array.from({ length: Math.ceil(schedule.length / this.#group) }, (_, i) => {
      const first = i * this.#group;
      const last = Math.min(first + this.#group, schedule.length) - 1;
      return {
        first,
        last,
        from: first * periodSteps,
        to: Math.min((last + 1) * periodSteps, steps),
        share: new Float32Array(layers),
        age: new Int32Array(layers),
        change: new Float32Array(layers).fill(NaN),
      };
    });
    this.times = new Uint32Array(layers);
    this.planned = layersTouched(schedule);
    this.#fill();
  }

  /** Takes in the periods and moves that were added since the last call. */
  follow(observed: readonly ObservedPeriod[], moves: readonly PeriodMove[]): this {
    if (this.#observed === observed.length && this.#moves === moves.length) return this;
    this.revision++;
    let asPlanned = true;
    for (; this.#observed < observed.length; this.#observed++) {
      const { period, layers } = observed[this.#observed];
      for (const layer of layers) if (this.times[layer]++ === 0) this.touched++;
      if (sameLayers(layers, this.input.schedule[period]?.layers ?? [])) continue;
      this.#otherwise.set(period, layers);
      asPlanned = false;
    }
    if (!asPlanned) this.#fill();
    for (; this.#moves < moves.length; this.#moves++) this.#noteMove(moves[this.#moves]);
    return this;
  }

  /** The column of a step; −1: none. */
  columnAt(step: number): number {
    const { periodSteps, steps } = this.input;
    if (step < 1 || step > steps) return -1;
    const column = Math.floor((step - 1) / periodSteps / this.#group);
    return column < this.columns.length ? column : -1;
  }

  layersOf(period: number): readonly number[] {
    return this.#otherwise.get(period) ?? this.input.schedule[period]?.layers ?? [];
  }

  #fill(): void {
    const lastTrained = new Int32Array(this.input.layers).fill(-1);
    for (const { first, last, share, age } of this.columns) {
      share.fill(0);
      for (let period = first; period <= last; period++) {
        for (const layer of this.layersOf(period)) {
          share[layer] += 1 / (last - first + 1);
          lastTrained[layer] = period;
        }
      }
      lastTrained.forEach((period, layer) => (age[layer] = period < 0 ? -1 : last - period));
    }
  }

  #noteMove({ period, layers }: PeriodMove): void {
    const column = this.columns[Math.floor(period / this.#group)];
    for (const { layer, change } of layers) {
      if (!column || !Number.isFinite(change)) continue;
      column.change[layer] = Math.max(Number.isNaN(column.change[layer]) ? 0 : column.change[layer], change);
      if (!(this.smallest <= change)) this.smallest = change;
      if (!(this.largest >= change)) this.largest = change;
    }
  }
}

function sameLayers(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((layer) => b.includes(layer));
}

/** `earlier`: before the checkpoint that this run resumed from; known from the schedule only. */
export function stateOf({ from, to }: Pick<RasterColumn, 'from' | 'to'>, step: number, firstStep: number): ColumnState {
  if (to < firstStep) return 'earlier';
  if (to <= step) return 'done';
  return from < step ? 'now' : 'planned';
}
