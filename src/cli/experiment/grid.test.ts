import { expect, test } from 'vitest';
import { bestFactor, draws, methodCell, methods, type Ask } from './grid-cells';
import { bestOf, keyOf, lossesOf, runsOf, type Cell, type Grid, type GridRun } from './grid-file';
import { frontierPlot, ratesPlot } from './grid-plot';
import { gridTables, standardErrors } from './grid-table';

const run = (after: number | null, own: number | null = null): GridRun => ({ before: 4, after, peak: 5e6, lr: 1e-3, own });
const grid = (runs: Grid['runs']): Grid => ({
  options: ['--steps', '8'],
  date: '2026-01-01',
  device: 'a device',
  base: { layers: 4, texts: [['a', 'b']], loss: 2 },
  runs,
});

/** Asks of a curve whose least loss is at `best`, and tells what was asked. */
function curve(best: number): { ask: Ask; asked: string[] } {
  const asked: string[] = [];
  const ask: Ask = (cell, seeds) => {
    asked.push(...seeds.map((seed) => keyOf(cell, seed)));
    return Promise.resolve(3 + Math.abs(Math.log2(cell.factor / best)));
  };
  return { ask, asked };
}

test.each([
  [1, [0.5, 1, 2, 4]],
  [4, [0.5, 1, 2, 4, 8]],
  [16, [0.5, 1, 2, 4, 8, 16, 32]],
  [0.25, [0.5, 1, 2, 4, 0.25, 0.125]],
])('a best rate of × %d is found with a worse one on each side', async (best, factors) => {
  const { ask, asked } = curve(best);
  expect(await bestFactor((factor) => methodCell('lisa', factor), ask, 7)).toBe(best);
  expect(asked).toEqual(factors.map((factor) => `methods: lisa, rate × ${factor}, seed 7`));
});

test('rates that diverge are not the best, and a search ends', async () => {
  const diverging: Ask = (cell) => Promise.resolve(cell.factor > 1 ? NaN : 4 - cell.factor);
  expect(await bestFactor((factor) => methodCell('lisa', factor), diverging, 1)).toBe(1);
  const falling: Ask = (cell) => Promise.resolve(1 / cell.factor);
  expect(await bestFactor((factor) => methodCell('lisa', factor), falling, 1)).toBe(64);
  await expect(
    bestFactor(
      (factor) => methodCell('lisa', factor),
      () => Promise.resolve(NaN),
      1,
    ),
  ).rejects.toThrow('diverged');
});

test('methods ask for all seeds at the best rate, and draws for every γ and K', async () => {
  const one = curve(2);
  await methods(one.ask, { seeds: [1, 2], layers: 4, steps: 10 });
  expect(one.asked.filter((key) => key.includes('seed 2'))).toEqual(['lisa', 'full', 'lora'].map((m) => `methods: ${m}, rate × 2, seed 2`));
  const other = curve(1);
  await draws(other.ask, { seeds: [1, 2], layers: 4, steps: 10 });
  const pairs = new Set(other.asked.filter((key) => key.includes('seed 2')).map((key) => /γ = \d+, K = \d+/.exec(key)![0]));
  expect([...pairs]).toHaveLength(3 * 4);
});

test('the best of a grid is that of the seed and the cell, not of one whose name begins alike', () => {
  const cellOf = (variant: string) => (factor: number) => ({ study: 'draws', variant, factor });
  const key = (variant: string, factor: number, seed: number): string => keyOf(cellOf(variant)(factor), seed);
  const known = grid({
    [key('γ = 1, K = 5', 1, 1)]: run(3.5),
    [key('γ = 1, K = 5', 2, 1)]: run(3.4),
    [key('γ = 1, K = 5', 4, 1)]: run(null),
    [key('γ = 1, K = 5', 1, 2)]: run(1),
    [key('γ = 1, K = 50', 4, 1)]: run(2),
  });
  expect(bestOf(known, cellOf('γ = 1, K = 5'), 1)).toBe(2);
  expect(bestOf(known, cellOf('γ = 2, K = 5'), 1)).toBe(null);
  expect(lossesOf(runsOf(known, cellOf('γ = 1, K = 5')(4), [1, 2]))).toEqual([]);
  expect(lossesOf([run(3), run(null)])).toEqual([]);
  expect(lossesOf([run(3), run(4)])).toEqual([3, 4]);
});

test('tables say what was not run, what diverged, and what a run forgets; plots have numbers only', () => {
  const cell = (method: string, factor: number): Cell => methodCell(method, factor);
  const known = grid({
    [keyOf(cell('lisa', 1), 1)]: run(3.5, 2.25),
    [keyOf(cell('lisa', 1), 2)]: run(3.7, 2.75),
    [keyOf(cell('lisa', 2), 1)]: run(null),
    [keyOf({ study: 'levers', variant: 'published', factor: 1 }, 1)]: run(3.5),
    [keyOf({ study: 'levers', variant: 'rows', factor: 1 }, 1)]: run(3.6),
  });
  const tables = gridTables(known, { seeds: [1, 2], layers: 4, steps: 8 });
  expect(tables).toContain('| LISA | 0.00050 | 3.6000 | 0.1414 | 3.5000 3.7000 | 5.00 | 0.500 |');
  expect(tables).toContain('| full | not run |');
  expect(tables).toContain('| LISA, × 0.0005 | 3.5000 | diverged |');
  expect(tables).toContain('| rows | 3.6000 | one seed | 3.6000 | 5.00 |  |  |');
  expect(tables).toContain('γ and K: not run.');
  expect(standardErrors([3.6, 3.8], [3.5, 3.5])).toBeCloseTo(2, 9);
  for (const svg of [ratesPlot(known, 1), frontierPlot(known, [1, 2]), ratesPlot(grid({}), 1), frontierPlot(grid({}), [1])]) {
    expect(svg).toMatch(/^<svg [^>]*>/);
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  }
});
