// Which layers are trained when: rows are the stack (input at the bottom), columns are periods on the step axis.

import { useCallback, useEffect, useMemo, useRef, useState, type KeyboardEvent, type PointerEvent } from 'react';
import type { RunConfig } from '../../config';
import type { ObservedPeriod } from '../../store/metrics';
import { onColoursChange } from '../../store/theme';
import type { Period } from '../../train/protocol';
import { useWidth } from '../parts/size';
import { GUTTER } from './axis';
import { drawRaster, rasterHeight, type RasterPalette, type RasterPicture, type RasterRow } from './draw-raster';
import { columnAt, rasterColumns, timesTrained, type RasterColumn } from './raster-model';
import { describeColumn, rasterSummary, RasterTable } from './RasterTable';

/** Columns are at least this wide, and never more than 150. */
const COLUMN_PX = 3;
const MOST_COLUMNS = 150;

export interface LayerRasterProps {
  readonly schedule: readonly Period[];
  readonly observed: readonly ObservedPeriod[];
  readonly layers: number;
  /** γ */
  readonly gamma: number;
  /** K */
  readonly periodSteps: number;
  readonly steps: number;
  /** Last finished step. */
  readonly step: number;
  readonly firstStep: number;
  readonly alwaysOn: RunConfig['lisaTrain'];
  readonly tied: boolean;
}

function rowsOf(layers: number, alwaysOn: RunConfig['lisaTrain'], tied: boolean): RasterRow[] {
  const sampled = Array.from({ length: layers }, (_, i) => ({ name: `layer ${layers - 1 - i}`, layer: layers - 1 - i, alwaysOn: false }));
  return [
    // Tied, the head is the embedding: one tensor, one switch.
    { name: 'head', layer: null, alwaysOn: tied ? alwaysOn.embedding : alwaysOn.head },
    { name: 'norm', layer: null, alwaysOn: alwaysOn.norm },
    ...sampled,
    { name: 'embed', layer: null, alwaysOn: alwaysOn.embedding },
  ];
}

function paletteOf(element: Element): RasterPalette {
  const style = getComputedStyle(element);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  return {
    trained: colour('--accent'),
    ink: colour('--ink'),
    muted: colour('--muted'),
    rule: colour('--rule'),
    surface: colour('--surface'),
  };
}

export function LayerRaster(props: LayerRasterProps) {
  const { schedule, observed, layers, gamma, periodSteps, steps, step, firstStep, alwaysOn, tied } = props;
  const [box, width] = useWidth<HTMLDivElement>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const [cursor, setCursor] = useState(-1);
  const rows = useMemo(() => rowsOf(layers, alwaysOn, tied), [layers, alwaysOn, tied]);
  const maxColumns = Math.max(1, Math.min(MOST_COLUMNS, Math.floor((width - GUTTER.left - GUTTER.right) / COLUMN_PX)));
  // `observed` grows in place; `step` tells of it.
  const columns = rasterColumns({ schedule, observed, layers, periodSteps, steps, step, firstStep, maxColumns });
  const picture: RasterPicture = {
    rows,
    columns,
    steps,
    step,
    times: timesTrained(observed, layers),
    expectedTimes: (observed.length * gamma) / layers,
    cursor,
  };

  const latest = useRef(picture);
  const redraw = useCallback(() => {
    if (canvas.current && width > 0) drawRaster(canvas.current, width, latest.current, paletteOf(canvas.current));
  }, [width]);
  useEffect(() => {
    latest.current = picture;
    redraw();
  });
  useEffect(() => onColoursChange(() => requestAnimationFrame(redraw)), [redraw]);

  const pointTo = ({ clientX, currentTarget }: PointerEvent): void => {
    const left = currentTarget.getBoundingClientRect().left + GUTTER.left;
    const share = (clientX - left) / (width - GUTTER.left - GUTTER.right);
    setCursor(share < 0 || share > 1 ? -1 : columnAt(columns, Math.max(1, Math.ceil(share * steps))));
  };
  const pointed: RasterColumn | undefined = columns[cursor];
  return (
    <div className="raster" ref={box}>
      <div
        className="raster-plot"
        role="group"
        tabIndex={0}
        aria-roledescription="chart"
        aria-label={`${rasterSummary(props)} Left and right arrow keys go through the periods.`}
        style={{ height: rasterHeight(rows.length) }}
        onPointerMove={pointTo}
        onPointerLeave={() => setCursor(-1)}
        onKeyDown={(event) => moveCursor(event, columns.length, step === 0 ? 0 : columnAt(columns, step), setCursor)}
        onBlur={() => setCursor(-1)}
      >
        <canvas ref={canvas} aria-hidden="true" style={{ height: rasterHeight(rows.length) }} />
      </div>
      <p className="note caption" aria-live="polite">
        {pointed
          ? describeColumn(pointed, props)
          : `Point at a period for its layers.${observed.length > 0 ? ' At the right: periods each layer was trained in so far; the line is what is expected.' : ''}`}
      </p>
      <RasterTable {...props} />
    </div>
  );
}

function moveCursor(event: KeyboardEvent, count: number, start: number, set: (change: (cursor: number) => number) => void): void {
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (by !== undefined) set((cursor) => (cursor < 0 ? Math.max(0, start) : Math.max(0, Math.min(count - 1, cursor + by))));
  else if (event.key === 'Home') set(() => 0);
  else if (event.key === 'End') set(() => count - 1);
  else if (event.key === 'Escape') set(() => -1);
  else return;
  event.preventDefault();
}

export function RasterLegend({ planned = false }: { readonly planned?: boolean }) {
  return (
    <ul className="legend inline">
      {!planned && (
        <li>
          <span className="swatch raster-trained" /> trained
        </li>
      )}
      <li>
        <span className="swatch raster-always" /> always on
      </li>
      <li>
        <span className="swatch raster-planned" /> to come
      </li>
    </ul>
  );
}
