// Which layers are trained when: rows are the stack (input at the bottom), columns are periods on the step axis.

import { useCallback, useEffect, useMemo, useRef } from 'react';
import type { Policies, PolicyName } from '../../config/policies';
import type { RasterMode } from '../../store/run/chart-settings';
import type { ObservedPeriod, PeriodMove } from '../../store/run/metrics';
import { onColoursChange } from '../../store/theme';
import type { Period } from '../../lisa/schedule';
import type { LayerMove } from '../../train/events';
import { useWidth } from '../widgets/size';
import { plotWidth } from './axis';
import { drawRaster, type RasterPalette, type RasterPicture, type RasterRow } from './draw-raster';
import { RasterModel } from './raster-model';
import { rasterHeight } from './raster-size';
import { RasterOverlay } from './RasterOverlay';
import { RasterHead } from './RasterHead';
import { RasterPlot } from './RasterPlot';
import { RasterTable } from './RasterTable';
import { changeBounds } from './raster-tones';
import type { RasterRun } from './raster-words';

/** Columns are at least this wide, and never more than 150. */
const COLUMN_PX = 3;
const MOST_COLUMNS = 150;

export interface LayerRasterProps {
  readonly schedule: readonly Period[];
  /** The periods as trained; grows in place. */
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
  readonly policies: Policies;
  readonly tied: boolean;
  /** How far layers moved, in order and by period; both grow in place. None before a run. */
  readonly moves?: readonly PeriodMove[];
  readonly moved?: ReadonlyMap<number, readonly LayerMove[]>;
  /** p_l, where the run draws layers by weights that stay. */
  readonly importance?: readonly number[];
  /** Which picture to show; without it, only the schedule is shown and there is no choice. */
  readonly mode?: RasterMode;
}

const NO_PERIODS: readonly ObservedPeriod[] = [];
const NO_MOVES: readonly PeriodMove[] = [];
const NOT_MOVED: ReadonlyMap<number, readonly LayerMove[]> = new Map();

/** Where a sampled block trains. With tied weights the head's row is the embedding's. */
function spansOf(
  name: PolicyName,
  policies: Policies,
  { schedule, periodSteps, steps, tied }: Pick<LayerRasterProps, 'schedule' | 'periodSteps' | 'steps' | 'tied'>,
): Pick<RasterRow, 'spans'> {
  if (policies[name] !== 'sampled') return {};
  const drawn = schedule.filter(({ blocks = [] }) => blocks.includes(tied && name === 'head' ? 'embedding' : name));
  return { spans: drawn.map(({ firstStep }) => ({ from: firstStep - 1, to: Math.min(steps, firstStep - 1 + periodSteps) })) };
}

function rowsOf({
  layers,
  policies,
  ...of
}: Pick<LayerRasterProps, 'layers' | 'policies' | 'schedule' | 'periodSteps' | 'steps' | 'tied'>): RasterRow[] {
  const row = (name: string, block: PolicyName): RasterRow => ({
    name,
    layer: null,
    alwaysOn: policies[block] !== 'off',
    ...spansOf(block, policies, of),
  });
  const sampled = Array.from({ length: layers }, (_, i) => ({ name: `layer ${layers - 1 - i}`, layer: layers - 1 - i, alwaysOn: false }));
  return [row('head', 'head'), row('norm', 'norm'), ...sampled, row('embed', 'embedding')];
}

function paletteOf(element: Element): RasterPalette {
  const style = getComputedStyle(element);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  return { trained: colour('--accent'), moved: colour('--mark'), ink: colour('--ink'), muted: colour('--muted'), rule: colour('--rule') };
}

export function LayerRaster(props: LayerRasterProps) {
  const { schedule, layers, gamma, periodSteps, steps, step, firstStep, policies, tied, moved = NOT_MOVED } = props;
  const { importance } = props;
  const most = importance ? Math.max(...importance) : NaN;
  // The choice outlives the run that offered it.
  const mode = props.mode === undefined || (props.mode === 'importance' && !importance) ? 'trained' : props.mode;
  // One shared empty list: a preview would make a new one each time.
  const observed = props.observed.length === 0 ? NO_PERIODS : props.observed;
  const moves = props.moves ?? NO_MOVES;
  const [box, width] = useWidth<HTMLDivElement>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const { embedding, head, norm } = policies;
  const rows = useMemo(
    () => rowsOf({ layers, policies: { embedding, head, norm }, schedule, periodSteps, steps, tied }),
    [layers, embedding, head, norm, schedule, periodSteps, steps, tied],
  );
  const maxColumns = Math.max(1, Math.min(MOST_COLUMNS, Math.floor(plotWidth(width) / COLUMN_PX)));
  const model = useMemo(
    () => new RasterModel({ schedule, layers, periodSteps, steps, maxColumns }),
    // Another run has another list of periods, so its model starts anew.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [schedule, layers, periodSteps, steps, maxColumns, observed],
  );
  model.follow(observed, moves);
  const picture: RasterPicture = {
    rows,
    columns: model.columns,
    steps,
    step,
    firstStep,
    mode,
    importance: importance?.map((weight) => weight / most),
    bounds: changeBounds(model.largest),
    times: model.times,
    expectedTimes: (observed.length * gamma) / layers,
  };

  const latest = useRef(picture);
  useEffect(() => {
    latest.current = picture;
  });
  const redraw = useCallback(() => {
    if (canvas.current && width > 0) drawRaster(canvas.current, width, latest.current, paletteOf(canvas.current));
  }, [width]);
  // Most updates move the step by less than half a pixel and change nothing else; then nothing is drawn.
  const place = Math.floor((step / steps) * plotWidth(width) * 2);
  useEffect(redraw, [redraw, model, model.revision, place, mode, rows, firstStep]);
  useEffect(() => onColoursChange(() => requestAnimationFrame(redraw)), [redraw]);

  const run: RasterRun = { model, observed, moved, step, firstStep };
  const height = rasterHeight(rows.length);
  return (
    <div className="raster measures" ref={box}>
      {props.mode && <RasterHead mode={mode} periodSteps={periodSteps} largest={model.largest} most={most} />}
      <RasterPlot run={run} width={width} height={height}>
        <canvas ref={canvas} aria-hidden="true" style={{ height }} />
        <RasterOverlay model={model} rows={rows.length} width={width} />
      </RasterPlot>
      <RasterTable run={run} />
    </div>
  );
}
