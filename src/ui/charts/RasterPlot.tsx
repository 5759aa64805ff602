// The raster with pointing: pointer and arrow keys choose a period, a click or Enter pins its band on the loss chart, and a
// line below describes the period.

import type { KeyboardEvent, MouseEvent, ReactNode } from 'react';
import { pin, pointAt, useCrosshair } from '../../store/run/crosshair';
import { formatCount } from '../format';
import { POINTING, pointingHandlers, stepAtPixel } from './pointing';
import type { RasterColumn, RasterModel } from './raster-model';
import { POINT_HINT } from './raster-size';
import { describeColumn, rasterSummary, type RasterRun } from './raster-words';

interface RasterPlotProps {
  readonly run: RasterRun;
  readonly width: number;
  readonly height: number;
  readonly children: ReactNode;
}

export function RasterPlot({ run, width, height, children }: RasterPlotProps) {
  const { model, step, observed } = run;
  const { steps } = model.input;
  const pointed = useCrosshair((state) => (state.step === null ? -1 : model.columnAt(state.step)));
  const column: RasterColumn | undefined = model.columns[pointed];
  const described = column && describeColumn(column, run);

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Enter' && column) pinColumn(column);
    else if (event.key === 'Escape') pointAt(null);
    else {
      const to = columnOfKey(event.key, event.shiftKey, pointed, Math.max(0, model.columnAt(Math.max(1, step))), model.columns.length);
      if (to === undefined) return;
      pointAt(stepOf(model.columns[to], step));
    }
    event.preventDefault();
    // The group of charts around it would move by steps.
    event.stopPropagation();
  };
  const onClick = ({ clientX, currentTarget }: MouseEvent): void => {
    const at = stepAtPixel(clientX, currentTarget.getBoundingClientRect().left, width, steps);
    const clicked = at === null ? undefined : model.columns[model.columnAt(at)];
    if (clicked) pinColumn(clicked);
  };
  return (
    <>
      <div
        className={`raster-plot ${POINTING}`}
        role="slider"
        tabIndex={0}
        aria-orientation="horizontal"
        aria-label={`${rasterSummary(run)} The left and right arrow keys move between periods; Enter marks one on the loss chart.`}
        aria-valuemin={0}
        aria-valuemax={model.columns.length}
        aria-valuenow={pointed + 1}
        aria-valuetext={described ?? 'no period chosen'}
        style={{ height }}
        {...pointingHandlers(steps, width)}
        onKeyDown={onKeyDown}
        onClick={onClick}
        // A click must not take the focus: Space must still pause the run.
        onMouseDown={(event) => event.preventDefault()}
      >
        {children}
      </div>
      <p className="note caption">{described ?? hint(observed.length > 0, model)}</p>
    </>
  );
}

const pinColumn = ({ first, from, to }: RasterColumn): void => pin({ period: first, from, to });

/** The last finished step of a column; for a future column, its end. */
const stepOf = ({ from, to }: RasterColumn, step: number): number => (step > from && step < to ? step : to);

function hint(begun: boolean, model: RasterModel): string {
  const { schedule } = model.input;
  const bins = model.columns.length < schedule.length ? ` Each column is ${formatCount(binOf(model))} periods.` : '';
  if (!begun) return `${POINT_HINT}${bins}`;
  return `Point at a period to see its layers; click to mark it on the loss chart.${bins} At the right: how many periods trained each layer so far; the line is the expected number.`;
}

const binOf = ({ columns }: RasterModel): number => (columns[0] ? columns[0].last - columns[0].first + 1 : 1);

/** The column that a key leads to from the one pointed at (−1: from `start`); undefined for any other key. */
export function columnOfKey(key: string, shift: boolean, pointed: number, start: number, count: number): number | undefined {
  const clamp = (to: number): number => Math.max(0, Math.min(count - 1, to));
  const by = (shift ? 10 : 1) * (key === 'ArrowLeft' ? -1 : key === 'ArrowRight' ? 1 : 0);
  if (by !== 0) return pointed < 0 ? start : clamp(pointed + by);
  if (key === 'Home') return 0;
  return key === 'End' ? count - 1 : undefined;
}
