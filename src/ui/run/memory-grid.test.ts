import { describe, expect, it } from 'vitest';
import { memoryGrid } from './memory-grid';
import { preparedCase } from '../../testing/stack';
import { stackOf } from './stack-model';

describe('memoryGrid', () => {
  it.each([
    ['wordsmith-2m', {}],
    ['odd GPT-2, untied', { lisaLayers: 1, alwaysOn: { embedding: false, head: true, norm: false } }],
    ['odd Llama, tied', { method: 'full' }],
    ['odd Llama, untied', { method: 'lora', loraRank: 3 }],
  ] as const)('adds up to the bytes of the plan: %s, %o', (name, patch) => {
    const { prepared, run, config } = preparedCase(name, patch);
    const grid = memoryGrid(stackOf(run({ step: 3 }), prepared, []), prepared, config.method);
    const { bytes } = prepared.forecasts[config.method];
    expect(grid.totals).toEqual({ weights: bytes.weights, gradient: bytes.gradients, m: bytes.optimizer / 2, v: bytes.optimizer / 2 });
    expect(grid.spare).toEqual({ weights: 0, gradient: 0, m: 0, v: 0 });
    if (config.method === 'full') expect(grid.total).toBe(grid.full);
  });

  it('fills a column for the weights, and rows for what trains', () => {
    const { prepared, run } = preparedCase('wordsmith-2m', {});
    const stack = stackOf(run({ step: 3 }), prepared, []);
    const { rows } = memoryGrid(stack, prepared, 'lisa');
    expect(rows.every(({ cells }) => cells[0].resident)).toBe(true);
    const full = rows.filter(({ cells }) => cells.every((cell) => cell.resident)).map(({ title }) => title);
    expect(full).toEqual(['norm', ...[...(stack.draw?.layers ?? [])].reverse().map((l) => `layer ${l}`), 'embedding']);
  });

  it('counts slots that a period leaves empty', () => {
    const { prepared, run } = preparedCase('wordsmith-2m', { lisaSampler: 'bernoulli', steps: 200, stepsPerPeriod: 1 });
    const most = Math.max(...prepared.schedule.map(({ layers }) => layers.length));
    const small = prepared.schedule.find(({ layers }) => layers.length === 1);
    expect(most).toBeGreaterThan(1);
    const grid = memoryGrid(stackOf(run({ step: small?.firstStep ?? 0 }), prepared, []), prepared, 'lisa');
    const slot = prepared.blocks.find(({ name }) => name === 'layer.0');
    expect(grid.spare.m).toBe((most - 1) * (slot?.m ?? 0));
    expect(grid.totals.gradient).toBe(prepared.forecasts.lisa.bytes.gradients);
  });
});
