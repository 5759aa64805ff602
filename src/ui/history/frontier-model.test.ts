import { expect, it } from 'vitest';
import type { RunSummary } from '../../store/history/record';
import { runConfig } from '../../testing/run-events';
import { frontierGroups, stairs } from './frontier-model';

const run = (runId: string, peakBytes: number, loss: number, more: Partial<RunSummary> = {}): RunSummary => ({
  runId,
  name: runId,
  startedAt: 0,
  status: 'done',
  config: runConfig(),
  step: 10,
  firstEval: { step: 0, loss: 9 },
  lastEval: { step: 10, loss },
  peakBytes,
  trainingMs: 1,
  spark: [],
  ...more,
});

it('puts runs together whose held-out losses can be compared, and marks those that another beats', () => {
  const other = { config: { ...runConfig(), data: 'other' } };
  const groups = frontierGroups([
    run('lean', 10, 3),
    run('good', 20, 2),
    run('wasteful', 30, 2),
    run('failed', 5, 1, { status: 'failed' }),
    run('unevaluated', 5, 1, { lastEval: null }),
    run('NaN', 5, NaN),
    run('alone', 10, 3, other),
  ]);
  expect(groups).toHaveLength(1);
  expect(groups[0].points.map(({ name, beaten }) => [name, beaten])).toEqual([
    ['lean', false],
    ['good', false],
    ['wasteful', true],
  ]);
  expect(stairs(groups[0].points)).toEqual([
    { peak: 10, loss: 3 },
    { peak: 20, loss: 3 },
    { peak: 20, loss: 2 },
  ]);
});

it('does not compare losses over other held-out rows', () => {
  const split = (seed: number) => ({ config: { ...runConfig(), evalData: null, evalSplit: 0.1, seed } });
  expect(frontierGroups([run('a', 1, 1, split(1)), run('b', 2, 2, split(2))])).toEqual([]);
});
