// The raster as a table of its periods, for reading and for screen readers.

import { memo, useState } from 'react';
import { formatCount, formatList, formatLoss } from '../format';
import { TABLE_TITLE } from './raster-size';
import { formatChange } from './raster-tones';
import { observedPeriod, type RasterRun } from './raster-words';

/** A longer table would help nobody. */
const MOST_ROWS = 500;

export function RasterTable({ run }: { readonly run: RasterRun }) {
  const [opened, setOpened] = useState(false);
  return (
    <details className="numbers" onToggle={({ currentTarget }) => setOpened(currentTarget.open)}>
      <summary>{TABLE_TITLE}</summary>
      {opened && <Periods run={run} />}
    </details>
  );
}

function Periods({ run: { model, observed, moved, step, firstStep } }: { readonly run: RasterRun }) {
  const { schedule, steps, periodSteps } = model.input;
  const state = (first: number, last: number): string => {
    if (last < firstStep) return 'earlier';
    if (last <= step) return 'trained';
    return first <= step ? 'now' : 'scheduled';
  };
  // For a long run, the periods up to the current one.
  const current = Math.ceil(step / periodSteps);
  const from = Math.max(0, Math.min(schedule.length - MOST_ROWS, current - MOST_ROWS));
  const shown = schedule.slice(from, from + MOST_ROWS);
  return (
    <div className="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">Period</th>
            <th scope="col">Steps</th>
            <th scope="col">Layers</th>
            <th scope="col">Loss</th>
            <th scope="col">Moved</th>
            <th scope="col">State</th>
          </tr>
        </thead>
        <tbody>
          {shown.map(({ period, firstStep: first }) => {
            const trained = observedPeriod(observed, period);
            const last = Math.min(first + periodSteps - 1, steps);
            const layers = [...model.layersOf(period)].sort((a, b) => a - b);
            const moves = moved.get(period);
            return (
              <PeriodRow
                key={period}
                period={period}
                steps={`${formatCount(first)}–${formatCount(last)}`}
                layers={formatList(layers)}
                loss={trained ? `${formatLoss(trained.firstLoss)} → ${formatLoss(trained.lastLoss)}` : ''}
                moved={
                  moves ? layers.map((layer) => formatChange(moves.find((move) => move.layer === layer)?.change ?? NaN)).join(', ') : ''
                }
                state={state(first, last)}
              />
            );
          })}
        </tbody>
      </table>
      {schedule.length > MOST_ROWS && (
        <p className="note">
          Periods {formatCount(from + 1)} to {formatCount(from + shown.length)} of {formatCount(schedule.length)}.
        </p>
      )}
    </div>
  );
}

interface PeriodRowProps {
  readonly period: number;
  readonly steps: string;
  readonly layers: string;
  readonly loss: string;
  readonly moved: string;
  readonly state: string;
}

/** An update changes one or two of hundreds of rows. */
const PeriodRow = memo(function PeriodRow({ period, steps, layers, loss, moved, state }: PeriodRowProps) {
  return (
    <tr>
      <th scope="row">{formatCount(period + 1)}</th>
      <td>{steps}</td>
      <td>{layers}</td>
      <td>{loss}</td>
      <td>{moved}</td>
      <td>{state}</td>
    </tr>
  );
});
