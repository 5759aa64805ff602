// The raster in words: a summary, and a sentence for a column. Pure.

import type { ObservedPeriod } from '../../store/run/metrics';
import type { LayerMove } from '../../train/events';
import { formatCount, formatList, formatLoss, plural } from '../format';
import { stateOf, type RasterColumn, type RasterModel } from './raster-model';
import { formatChange } from './raster-tones';
import { layersInWords } from './readout';

export interface RasterRun {
  readonly model: RasterModel;
  readonly observed: readonly ObservedPeriod[];
  readonly moved: ReadonlyMap<number, readonly LayerMove[]>;
  /** Last finished step. */
  readonly step: number;
  readonly firstStep: number;
}

export function rasterSummary({ model, observed, step }: RasterRun): string {
  const { schedule, steps, layers } = model.input;
  const all = `${plural(schedule.length, 'period')} over ${plural(steps, 'step')}`;
  if (observed.length === 0) return `Schedule: ${all}; ${model.planned} of ${layers} layers will be trained at least once.`;
  return `Layers trained by period: ${observed.length} of ${all}, step ${step}; ${model.touched} of ${layers} layers trained at least once so far.`;
}

/** The observed period of this number, if there is one; observed periods follow one another. */
export function observedPeriod(observed: readonly ObservedPeriod[], period: number): ObservedPeriod | undefined {
  const found = observed[period - (observed[0]?.period ?? 0)];
  return found?.period === period ? found : observed.find((candidate) => candidate.period === period);
}

export function describeColumn(column: RasterColumn, run: RasterRun): string {
  const { model, observed } = run;
  const steps = `steps ${formatCount(column.from + 1)}–${formatCount(column.to)}`;
  const state = stateOf(column, run.step, run.firstStep);
  const when = { earlier: ', before this run resumed', done: '', now: ', now', planned: ', scheduled' }[state];
  if (column.first !== column.last) {
    const trained = column.share.filter((share) => share > 0).length;
    const change = Math.max(...column.change.filter((each) => !Number.isNaN(each)));
    const moved = Number.isFinite(change) ? `, moved up to ${formatChange(change)} in a period` : '';
    return `Periods ${formatCount(column.first + 1)}–${formatCount(column.last + 1)}, ${steps}${when}: ${trained} of ${model.input.layers} layers${moved}.`;
  }
  const layers = [...model.layersOf(column.first)].sort((a, b) => a - b);
  const seen = observedPeriod(observed, column.first);
  const loss = seen ? `, loss ${formatLoss(seen.firstLoss)} → ${formatLoss(seen.lastLoss)}` : '';
  const moves = run.moved.get(column.first);
  const changes = moves
    ? layers.flatMap((layer) => moves.filter((move) => move.layer === layer)).map(({ change }) => formatChange(change))
    : [];
  const moved = changes.length > 0 ? `, moved ${formatList(changes)}` : '';
  return `Period ${formatCount(column.first + 1)}, ${steps}${when}: ${layersInWords(layers)}${loss}${moved}.`;
}
