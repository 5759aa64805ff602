// Series as SVG path data. Coordinates have one decimal. Points far outside the plot are moved close to it, because browsers
// lose precision there. Pure.

import type { ValueAxis } from './axis';
import type { PixelSeries } from './pixel-series';

const OUTSIDE = 40;

/** Pixels from the top of a plot of this height. */
export const yOf = (axis: ValueAxis, height: number) => {
  return (value: number): number => Math.max(-OUTSIDE, Math.min(height + OUTSIDE, (1 - axis.share(value)) * height));
};

const tenth = (value: number): number => Math.round(value * 10) / 10;

/**
 * A line through a series that grows. All pixels but the last are final, so their part of the path is made once. An update
 * costs only its new pixels and makes almost no garbage.
 */
export class LinePath {
  #settled = '';
  #count = 0;

  constructor(
    readonly series: PixelSeries,
    readonly y: (value: number) => number,
  ) {}

  /** The path of the series so far; empty if the series is empty. */
  follow(): string {
    const { count } = this.series.follow();
    for (; this.#count < count - 1; this.#count++) this.#settled += this.#pixel(this.#count, this.#settled === '');
    if (count === 0) return '';
    const last = this.#pixel(count - 1, this.#settled === '');
    const path = this.#settled + last;
    // A single point: a line of zero length shows as a dot with round caps.
    return this.#settled === '' && last !== '' && !last.includes('L') ? `${last}h0` : path;
  }

  #pixel(i: number, begins: boolean): string {
    const { x, first, low, high, last, rises } = this.series;
    const px = tenth(x[i]);
    let path = '';
    const to = (value: number): void => {
      const py = tenth(this.y(value));
      // NaN: on a log axis.
      if (!Number.isNaN(py)) path += `${begins && path === '' ? 'M' : 'L'}${px} ${py}`;
    };
    to(first[i]);
    if (low[i] === high[i]) return path;
    const [early, late] = rises[i] ? [low[i], high[i]] : [high[i], low[i]];
    if (early !== first[i]) to(early);
    to(late);
    if (late !== last[i]) to(last[i]);
    return path;
  }
}

/** A line through points. */
export function pointsPath(points: Iterable<readonly [number, number]>): string {
  let path = '';
  for (const [x, y] of points) if (Number.isFinite(y)) path += `${path ? 'L' : 'M'}${tenth(x)} ${tenth(y)}`;
  return path;
}

/** Circles around points, as one path. */
export function dotsPath(points: Iterable<readonly [number, number]>, radius: number): string {
  const arc = `a${radius} ${radius} 0 1 0 ${2 * radius} 0a${radius} ${radius} 0 1 0 ${-2 * radius} 0`;
  let path = '';
  for (const [x, y] of points) if (Number.isFinite(y)) path += `M${tenth(x - radius)} ${tenth(y)}${arc}`;
  return path;
}

/** The area under a staircase down to `floor`: each value holds from the previous x to its own. */
export function stairsPath(from: number, x: ArrayLike<number>, y: ArrayLike<number>, floor: number): string {
  if (x.length === 0) return '';
  let path = `M${tenth(from)} ${tenth(floor)}`;
  let level = NaN;
  for (let i = 0; i < x.length; i++) {
    const py = tenth(y[i]);
    if (py !== level) path += `${i > 0 ? `H${tenth(x[i - 1])}` : ''}V${py}`;
    level = py;
  }
  return `${path}H${tenth(x[x.length - 1])}V${tenth(floor)}Z`;
}
