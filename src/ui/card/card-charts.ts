// The two pictures of a run card as inline SVG: the loss by step, and the layers that were trained. Static, in the
// card's own colours; long runs are drawn with as many points as there are pixels. Pure.

import { MovingAverage, type Column } from '../../store/run/columns';
import type { ObservedPeriod, RunMetrics } from '../../store/run/metrics';
import type { EvalPoint } from '../../store/run/run';
import { formatCount, formatLoss } from '../format';
import { stepTicks, valueTicks } from '../charts/axis';
import { markup, type Markup } from './markup';

const WIDTH = 720;
const LEFT = 56;
const RIGHT = 44;
const INNER = WIDTH - LEFT - RIGHT;
const LOSS_HEIGHT = 180;
const ROW = 12;
/** Periods beyond this share columns. */
const MOST_COLUMNS = 120;

const tenth = (value: number): number => Math.round(value * 10) / 10;

export function lossSvg(metrics: RunMetrics, evals: readonly EvalPoint[], steps: number): Markup {
  const smooth = new MovingAverage(metrics.loss).follow();
  const shown = [...extremes(metrics.loss), ...evals.map(({ loss }) => loss)].filter(Number.isFinite);
  const ticks = valueTicks(Math.min(...shown), Math.max(...shown), 4);
  const [low, high] = [ticks[0], ticks.at(-1) ?? 1];
  const x = (step: number): number => tenth((step / steps) * INNER);
  const y = (loss: number): number => tenth((1 - (loss - low) / (high - low)) * LOSS_HEIGHT);
  const line = (column: Column): string => linePath(metrics.step, column, x, y);
  const first = metrics.loss.at(0);
  const label = `Loss by step: ${formatLoss(first)} at step ${metrics.step.at(0)}, ${formatLoss(metrics.loss.last)} at step ${metrics.step.last}.`;
  return markup`<svg viewBox="0 0 ${WIDTH} ${LOSS_HEIGHT + 32}" role="img" aria-label="${label}">
    <g transform="translate(${LEFT} 8)">
      ${ticks.map((tick) => markup`<path class="grid" d="M0 ${y(tick)}H${INNER}"></path><text x="-8" y="${y(tick) + 4}" text-anchor="end">${tick}</text>`)}
      ${stepTicks(steps, 7).map((tick) => markup`<text x="${x(tick)}" y="${LOSS_HEIGHT + 18}" text-anchor="middle">${formatCount(tick)}</text>`)}
      <path class="raw" d="${line(metrics.loss)}"></path>
      <path class="smooth" d="${line(smooth)}"></path>
      ${evals
        .filter(({ loss }) => Number.isFinite(loss))
        .map(
          ({ step, loss }) =>
            markup`<circle class="eval" cx="${x(step)}" cy="${y(loss)}" r="4"><title>Held-out loss ${loss} after step ${step}</title></circle>`,
        )}
    </g>
  </svg>`;
}

function extremes(column: Column): number[] {
  let [low, high] = [Infinity, -Infinity];
  for (const value of column.values()) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

/** Where several steps share a pixel, the lowest and the highest are kept. */
function linePath(steps: Column, values: Column, x: (step: number) => number, y: (value: number) => number): string {
  let path = '';
  let at = 0;
  while (at < steps.length) {
    const pixel = Math.floor(x(steps.at(at)));
    let [low, high] = [NaN, NaN];
    for (; at < steps.length && Math.floor(x(steps.at(at))) === pixel; at++) {
      const value = values.at(at);
      if (!Number.isFinite(value)) continue;
      if (!(value >= low)) low = value;
      if (!(value <= high)) high = value;
    }
    if (Number.isNaN(low)) continue;
    const px = x(steps.at(at - 1));
    path += `${path ? 'L' : 'M'}${px} ${y(high)}${low === high ? '' : `V${y(low)}`}`;
  }
  return path;
}

/** Rows are the sampled layers, the input at the bottom. A darker cell: more of its periods trained the layer. */
export function rasterSvg(periods: readonly ObservedPeriod[], layers: number, steps: number): Markup {
  const group = Math.max(1, Math.ceil(periods.length / MOST_COLUMNS));
  const cells: Markup[] = [];
  for (let first = 0; first < periods.length; first += group) {
    const column = periods.slice(first, first + group);
    const from = column[0].firstStep - 1;
    const to = column.at(-1)?.lastStep ?? from;
    for (const [layer, times] of timesIn(column)) {
      const place = { x: tenth((from / steps) * INNER), width: tenth(((to - from) / steps) * INNER) };
      cells.push(
        markup`<rect
          class="trained"
          x="${place.x}"
          y="${(layers - 1 - layer) * ROW + 1}"
          width="${place.width}"
          height="${ROW - 2}"
          fill-opacity="${tenth(times / column.length) || 0.1}"><title>Layer ${layer}, steps ${from + 1} to ${to}</title></rect>`,
      );
    }
  }
  const height = layers * ROW;
  return markup`<svg viewBox="0 0 ${WIDTH} ${height + 10}" role="img" aria-label="Layers by step; the table below has the same data.">
    <g transform="translate(${LEFT} 4)">
      <rect class="frame" x="0" y="0" width="${INNER}" height="${height}"></rect>
      ${Array.from({ length: layers }, (_, layer) => layer)
        .filter((layer) => layers <= 40 || layer % 5 === 0)
        .map((layer) => markup`<text x="-8" y="${(layers - 1 - layer) * ROW + 10}" text-anchor="end">layer ${layer}</text>`)}
      ${cells}
    </g>
  </svg>`;
}

function timesIn(periods: readonly ObservedPeriod[]): ReadonlyMap<number, number> {
  const times = new Map<number, number>();
  for (const period of periods) for (const layer of period.layers) times.set(layer, (times.get(layer) ?? 0) + 1);
  return times;
}
