import { expect, it } from 'vitest';
import { zeroBytes } from '../../dispatch/memory';
import { MEMORY_GROUPS, RunMetrics } from '../../store/run/metrics';
import { stack } from './memory-stack';
import { PixelSeries } from './pixel-series';

it('shows the highest step of each pixel, with groups that add up to its total', () => {
  const metrics = new RunMetrics(null);
  for (let step = 1; step <= 1000; step++) {
    const weights = 100;
    const optimizer = step === 444 ? 77 : 50;
    const memory = { ...zeroBytes(), weights, optimizer, staging: 3, total: weights + optimizer + 3 };
    metrics.push({ step, loss: 1, lr: 1, gradNorm: 1, tokens: 1, targets: 1, activeLayers: [], stepMs: 1, memory });
  }
  const series = new PixelSeries(metrics.step, metrics.total, { steps: 2000, width: 100 }).follow();
  const { from, x, tops } = stack(metrics, series, 100 / 2000);
  expect(from).toBe(0);
  expect(x.at(-1)).toBe(50);
  expect(tops).toHaveLength(MEMORY_GROUPS.length);
  const sums = tops.at(-1) ?? [];
  expect(Math.max(...sums)).toBe(180);
  expect(sums.filter((sum) => sum === 180)).toHaveLength(1);
  expect(new Set(sums)).toEqual(new Set([153, 180]));
});
