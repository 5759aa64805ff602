// Draws the layer raster on a canvas. Filled: trained. Hatched: always on. Dotted: future periods of the seeded schedule. The
// graded pictures (update size, age) fill a cell higher and darker for larger values.

import type { RasterMode } from '../../store/run/chart-settings';
import { formatCount } from '../format';
import { GUTTER, stepLabels, stepTicks } from './axis';
import { stateOf, type ColumnState, type RasterColumn } from './raster-model';
import { RASTER_TOP, rasterHeight, rowHeight } from './raster-size';
import { namedRows } from './row-labels';
import { ageTone, changeTone, importanceTone, type Tone } from './raster-tones';

export interface RasterPalette {
  readonly trained: string;
  readonly moved: string;
  readonly ink: string;
  readonly muted: string;
  readonly rule: string;
}

export interface RasterRow {
  readonly name: string;
  /** Null for rows that are not sampled. */
  readonly layer: number | null;
  readonly alwaysOn: boolean;
  /** Where it trains, on the step axis, if it is drawn like a layer. */
  readonly spans?: readonly { readonly from: number; readonly to: number }[];
}

export interface RasterPicture {
  readonly rows: readonly RasterRow[];
  readonly columns: readonly RasterColumn[];
  readonly steps: number;
  /** Last finished step. */
  readonly step: number;
  readonly firstStep: number;
  readonly mode: RasterMode;
  /** Per layer: its weight as a share of the largest; none where layers have no weights. */
  readonly importance?: readonly number[];
  /** Bounds between the tones of change. */
  readonly bounds: readonly number[];
  /** Per layer: how many periods trained it so far; the right margin shows this. */
  readonly times: Uint32Array;
  /** γ/L of the periods so far: the expected count of every layer. */
  readonly expectedTimes: number;
}

export function drawRaster(canvas: HTMLCanvasElement, width: number, picture: RasterPicture, palette: RasterPalette): void {
  const context = canvas.getContext('2d');
  if (!context || width <= GUTTER.left + GUTTER.right) return;
  const { rows, columns, steps, step, firstStep } = picture;
  const ratio = devicePixelRatio || 1;
  const height = rasterHeight(rows.length);
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.font = '11px system-ui, sans-serif';

  const plot = { left: GUTTER.left, right: width - GUTTER.right };
  const x = (at: number): number => plot.left + (at / steps) * (plot.right - plot.left);
  const cell = rowHeight(rows.length);
  const y = (row: number): number => RASTER_TOP + row * cell;
  const pens = pensOf(context, palette, ratio);
  const states = columns.map((column) => stateOf(column, step, firstStep));

  rows.forEach((row, i) => {
    const bounds = { top: y(i) + 1, height: cell - 2 };
    const { layer } = row;
    if (layer === null) drawAlwaysOn(context, row, bounds, x, step, steps, pens);
    else columns.forEach((column, at) => drawCell(context, cellOf(column, states[at], layer, picture), bounds, x, step, pens));
  });
  frameCurrent(context, columns[states.indexOf('now')], palette, x, y(0), rows.length * cell);
  drawFrame(context, picture, palette, x, y, plot);
  drawCounts(context, picture, palette, y, cell, plot.right);
}

interface Pens {
  readonly trained: string;
  readonly moved: string;
  readonly hatch: CanvasPattern | string;
  readonly dots: CanvasPattern | string;
}
interface Bounds {
  readonly top: number;
  readonly height: number;
}
interface Cell {
  readonly from: number;
  readonly to: number;
  readonly state: ColumnState;
  /** The share of the column's periods that train the layer. */
  readonly share: number;
  /** Whether the finished part is filled. */
  readonly filled: boolean;
  /** 0: the plain pattern of trained layers. */
  readonly tone: Tone;
  readonly pen: 'trained' | 'moved';
}

function cellOf({ from, to, share, age, change }: RasterColumn, state: ColumnState, layer: number, picture: RasterPicture): Cell {
  const plain = { from, to, state, share: share[layer], filled: share[layer] > 0, tone: 0, pen: 'trained' } as const;
  if (picture.mode === 'moved') return { ...plain, tone: changeTone(change[layer], picture.bounds), pen: 'moved' };
  if (picture.mode === 'importance' && picture.importance) return { ...plain, tone: importanceTone(picture.importance[layer]) };
  if (picture.mode !== 'age') return plain;
  const tone = ageTone(age[layer]);
  // A layer that was never trained has no age.
  return { ...plain, tone, filled: tone > 0 };
}

function drawCell(
  context: CanvasRenderingContext2D,
  { from, to, state, share, filled, tone, pen }: Cell,
  { top, height }: Bounds,
  x: (at: number) => number,
  step: number,
  pens: Pens,
): void {
  const left = x(from);
  const right = x(to);
  const gap = right - left > 4 ? 1 : 0;
  const done = state === 'planned' ? left : state === 'now' ? x(step) : right;
  // A bin of several periods is darker if more of them train the layer.
  const density = share < 0.999 ? 0.25 + 0.75 * share : 1;
  if (filled && done > left) {
    const level = tone === 0 ? 1 : tone / 5;
    context.globalAlpha = (tone === 0 ? density : 0.3 + 0.7 * level) * (state === 'earlier' ? 0.5 : 1);
    context.fillStyle = pens[pen === 'moved' && tone > 0 ? 'moved' : 'trained'];
    const tall = Math.max(1, Math.round(height * level));
    context.fillRect(left + gap / 2, top + height - tall, Math.max(0.5, done - left - gap), tall);
  }
  if (share > 0 && done < right) {
    // Dots are pale already.
    context.globalAlpha = density < 1 ? 0.4 + 0.6 * density : 1;
    context.fillStyle = pens.dots;
    context.fillRect(done + gap / 2, top, Math.max(0.5, right - done - gap), height);
    if (right - left > 8) {
      context.strokeStyle = pens.trained;
      context.globalAlpha = 0.55;
      context.lineWidth = 1;
      context.setLineDash([2, 2]);
      context.strokeRect(left + 1, top + 0.5, right - left - 2, height - 1);
      context.setLineDash([]);
    }
  }
  context.globalAlpha = 1;
}

/** A frame around the period that is being trained. */
function frameCurrent(
  context: CanvasRenderingContext2D,
  column: RasterColumn | undefined,
  palette: RasterPalette,
  x: (at: number) => number,
  top: number,
  height: number,
): void {
  if (!column) return;
  context.strokeStyle = palette.muted;
  context.lineWidth = 1;
  context.strokeRect(x(column.from) + 0.5, top + 0.5, Math.max(1, x(column.to) - x(column.from) - 1), height - 1);
}

function drawAlwaysOn(
  context: CanvasRenderingContext2D,
  row: RasterRow,
  { top, height }: Bounds,
  x: (at: number) => number,
  step: number,
  steps: number,
  pens: Pens,
): void {
  if (!row.alwaysOn) return;
  context.fillStyle = pens.hatch;
  for (const { from, to } of row.spans ?? [{ from: 0, to: steps }]) {
    const done = Math.min(Math.max(from, step), to);
    context.globalAlpha = 1;
    context.fillRect(x(from), top, x(done) - x(from), height);
    context.globalAlpha = 0.4;
    context.fillRect(x(done), top, x(to) - x(done), height);
  }
  context.globalAlpha = 1;
}

function drawFrame(
  context: CanvasRenderingContext2D,
  { rows, columns, steps }: RasterPicture,
  palette: RasterPalette,
  x: (at: number) => number,
  y: (row: number) => number,
  plot: { readonly left: number; readonly right: number },
): void {
  const bottom = y(rows.length);
  context.lineWidth = 1;
  context.strokeStyle = palette.rule;
  context.beginPath();
  for (let row = 0; row <= rows.length; row++) {
    context.moveTo(plot.left, Math.round(y(row)) + 0.5);
    context.lineTo(plot.right, Math.round(y(row)) + 0.5);
  }
  context.stroke();
  context.fillStyle = palette.muted;
  context.textBaseline = 'middle';
  context.textAlign = 'right';
  for (const row of namedRows(rows, y(1) - y(0))) {
    context.fillText(rows[row].name, plot.left - 6, (y(row) + y(row + 1)) / 2 + 0.5, plot.left - 8);
  }
  context.strokeStyle = palette.muted;
  context.beginPath();
  if ((plot.right - plot.left) / columns.length > 8) {
    for (const column of columns) {
      context.moveTo(Math.round(x(column.to)) - 0.5, bottom);
      context.lineTo(Math.round(x(column.to)) - 0.5, bottom + 3);
    }
  }
  context.stroke();
  context.textAlign = 'center';
  context.textBaseline = 'top';
  for (const tick of stepTicks(steps, stepLabels(plot.right - plot.left))) context.fillText(formatCount(tick), x(tick), bottom + 6);
}

/** Right margin: how often each layer was trained, with a line at the expected number. */
function drawCounts(
  context: CanvasRenderingContext2D,
  { rows, times, expectedTimes }: RasterPicture,
  palette: RasterPalette,
  y: (row: number) => number,
  cell: number,
  right: number,
): void {
  const most = Math.max(...times, expectedTimes);
  if (!(most > 0)) return;
  const left = right + 6;
  const span = GUTTER.right - 14;
  rows.forEach((row, i) => {
    if (row.layer === null) return;
    context.fillStyle = palette.muted;
    context.fillRect(left, y(i) + cell * 0.3, ((times[row.layer] ?? 0) / most) * span, cell * 0.4);
  });
  const layerRows = rows.flatMap((row, i) => (row.layer === null ? [] : [i]));
  const expected = left + (expectedTimes / most) * span;
  context.strokeStyle = palette.ink;
  context.beginPath();
  context.moveTo(expected, y(layerRows[0] ?? 0));
  context.lineTo(expected, y((layerRows.at(-1) ?? 0) + 1));
  context.stroke();
}

function pattern(
  context: CanvasRenderingContext2D,
  size: number,
  ratio: number,
  fallback: string,
  draw: (tile: CanvasRenderingContext2D) => void,
): CanvasPattern | string {
  const tile = document.createElement('canvas');
  tile.width = tile.height = Math.max(1, Math.round(size * ratio));
  const pen = tile.getContext('2d');
  if (!pen) return fallback;
  pen.scale(tile.width / size, tile.width / size);
  draw(pen);
  const made = context.createPattern(tile, 'repeat');
  // The tile uses device pixels, the canvas CSS pixels.
  made?.setTransform(new DOMMatrix().scale(size / tile.width));
  return made ?? fallback;
}

/** Patterns are made once per context, palette and resolution. */
const made = new WeakMap<CanvasRenderingContext2D, { readonly key: string; readonly pens: Pens }>();

function pensOf(context: CanvasRenderingContext2D, palette: RasterPalette, ratio: number): Pens {
  const key = `${palette.trained} ${palette.moved} ${ratio}`;
  const known = made.get(context);
  if (known?.key === key) return known.pens;
  const pens = {
    trained: palette.trained,
    moved: palette.moved,
    hatch: hatch(context, palette, ratio),
    dots: dots(context, palette, ratio),
  };
  made.set(context, { key, pens });
  return pens;
}

const hatch = (context: CanvasRenderingContext2D, palette: RasterPalette, ratio: number): CanvasPattern | string =>
  pattern(context, 6, ratio, palette.trained, (pen) => {
    pen.strokeStyle = palette.trained;
    pen.lineWidth = 1.6;
    pen.beginPath();
    for (const shift of [-6, 0, 6]) {
      pen.moveTo(shift, 6);
      pen.lineTo(shift + 6, 0);
    }
    pen.stroke();
  });

const dots = (context: CanvasRenderingContext2D, palette: RasterPalette, ratio: number): CanvasPattern | string =>
  pattern(context, 4, ratio, palette.trained, (pen) => {
    pen.fillStyle = palette.trained;
    pen.fillRect(1, 1, 1.4, 1.4);
  });
