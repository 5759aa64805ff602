// The stacked areas of the memory timeline. Where several steps share a pixel, the step with the highest total is shown with
// its own groups. So the chart shows the peak, and the groups add up to it. Pure.

import { MEMORY_GROUPS, type RunMetrics } from '../../store/run/metrics';
import type { PixelSeries } from './pixel-series';

export interface MemoryStack {
  /** Pixel at which the first step begins. */
  readonly from: number;
  /** Pixel at which each of the shown steps ends. */
  readonly x: readonly number[];
  /** By group, from the bottom: bytes of this group and all groups below it. */
  readonly tops: readonly (readonly number[])[];
}

export function stack(metrics: RunMetrics, series: PixelSeries, perStep: number): MemoryStack {
  const shown = Array.from(series.highestAt.subarray(0, series.count));
  const sums = shown.map(() => 0);
  const tops = MEMORY_GROUPS.map((group) => {
    const column = metrics.memory[group];
    shown.forEach((index, i) => (sums[i] += column.at(index)));
    return [...sums];
  });
  const x = Array.from(series.x.subarray(0, series.count));
  // The last pixel reaches to its last step, not only to its first.
  if (x.length > 0) x[x.length - 1] = metrics.step.last * perStep;
  return { from: Math.max(0, (metrics.step.at(0) - 1) * perStep), x, tops };
}
