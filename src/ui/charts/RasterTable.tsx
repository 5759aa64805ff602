// The raster in words: a summary, a sentence for a column, and a table of all periods.

import { useState } from 'react';
import { formatList, formatLoss, plural } from '../format';
import type { LayerRasterProps } from './LayerRaster';
import { layersTouched, type RasterColumn } from './raster-model';

/** A table of more rows than this helps nobody. */
const MOST_ROWS = 500;

export function rasterSummary({ schedule, observed, layers, steps, step }: LayerRasterProps): string {
  const all = `${plural(schedule.length, 'period')} over ${plural(steps, 'step')}`;
  if (observed.length === 0) return `Schedule: ${all}; ${layersTouched(schedule)} of ${layers} layers will be trained at least once.`;
  return `Layers trained by period: ${observed.length} of ${all}, step ${step}; ${layersTouched(observed)} of ${layers} layers trained at least once so far.`;
}

export function describeColumn(column: RasterColumn, { schedule, observed, layers }: LayerRasterProps): string {
  const steps = `steps ${column.from + 1}–${column.to}`;
  if (column.first !== column.last) {
    const trained = column.share.filter((share) => share > 0).length;
    return `Periods ${column.first + 1}–${column.last + 1}, ${steps}: ${trained} of ${layers} layers${column.state === 'planned' ? ', to come' : ''}.`;
  }
  const seen = observed.find((period) => period.period === column.first);
  const names = formatList([...(seen?.layers ?? schedule[column.first]?.layers ?? [])].sort((a, b) => a - b));
  const loss = seen ? ` Loss ${formatLoss(seen.firstLoss)} → ${formatLoss(seen.lastLoss)}.` : '';
  const when = { earlier: ', before this run went on', done: '', now: ', now', planned: ', to come' }[column.state];
  return `Period ${column.first + 1}, ${steps}${when}: layers ${names}.${loss}`;
}

export function RasterTable(props: LayerRasterProps) {
  const [opened, setOpened] = useState(false);
  return (
    <details className="numbers" onToggle={({ currentTarget }) => setOpened(currentTarget.open)}>
      <summary>Periods as a table</summary>
      {opened && <Periods {...props} />}
    </details>
  );
}

function Periods({ schedule, observed, step, periodSteps, steps, firstStep }: LayerRasterProps) {
  const seen = new Map(observed.map((period) => [period.period, period]));
  const state = (first: number, last: number): string => {
    if (last < firstStep) return 'earlier';
    if (last <= step) return 'trained';
    return first <= step ? 'now' : 'to come';
  };
  return (
    <div className="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">Period</th>
            <th scope="col">Steps</th>
            <th scope="col">Layers</th>
            <th scope="col">Loss</th>
            <th scope="col">State</th>
          </tr>
        </thead>
        <tbody>
          {schedule.slice(0, MOST_ROWS).map(({ period, firstStep: first, layers }) => {
            const trained = seen.get(period);
            const last = Math.min(first + periodSteps - 1, steps);
            return (
              <tr key={period}>
                <th scope="row">{period + 1}</th>
                <td>
                  {first}–{last}
                </td>
                <td>{formatList([...(trained?.layers ?? layers)].sort((a, b) => a - b))}</td>
                <td>{trained ? `${formatLoss(trained.firstLoss)} → ${formatLoss(trained.lastLoss)}` : ''}</td>
                <td>{state(first, last)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {schedule.length > MOST_ROWS && (
        <p className="note">
          The first {MOST_ROWS} of {schedule.length} periods.
        </p>
      )}
    </div>
  );
}
