import { describe, expect, it } from 'vitest';
import { RunMetrics } from '../../store/run/metrics';
import { preparedOf, runConfig, stepOf } from '../../testing/run-events';
import { metricsCsv, metricsJsonl } from './metrics-files';

const config = runConfig();
const prepared = preparedOf(config);
const steps = Array.from({ length: 12 }, (_, i) => stepOf(prepared, config, i + 1));
// A sample was drawn before steps 5 and 6: more bytes there.
const told = steps.map((metrics) =>
  metrics.step === 5 || metrics.step === 6
    ? { ...metrics, memory: { ...metrics.memory, cache: 4096, total: metrics.memory.total + 4096 } }
    : metrics,
);
const metrics = new RunMetrics(config.stepsPerPeriod);
told.forEach((step) => metrics.push(step));

describe('metricsJsonl', () => {
  it('has the lines that the command line writes, to the last digit', () => {
    const lines = metricsJsonl(metrics, 4)
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    expect(lines).toEqual(told.map(({ targets: _, ...line }) => line));
    expect(metrics.memoryChanges.map(({ step }) => step)).toEqual([1, 5, 7]);
  });

  it('trains every layer where none is sampled, and writes null for what is no number', () => {
    const full = new RunMetrics(null);
    full.push({ ...steps[0], gradNorm: NaN });
    expect(JSON.parse(metricsJsonl(full, 3))).toMatchObject({ activeLayers: [0, 1, 2], gradNorm: null });
  });

  it('is the same after a restore', () => {
    expect(metricsJsonl(RunMetrics.restore(metrics.snapshot()), 4)).toBe(metricsJsonl(metrics, 4));
  });
});

describe('metricsCsv', () => {
  it('has a row a step of as many cells as the header, and evaluations where they belong', () => {
    const evals = [
      { step: 0, loss: 4.5 },
      { step: 12, loss: 3.25 },
    ];
    const rows = metricsCsv(metrics, 4, evals)
      .trimEnd()
      .split('\r\n')
      .map((row) => row.split(','));
    expect(rows).toHaveLength(14);
    expect(new Set(rows.map((row) => row.length))).toEqual(new Set([rows[0].length]));
    const column = (name: string) => rows.slice(1).map((row) => row[rows[0].indexOf(name)]);
    expect(column('step')).toEqual(Array.from({ length: 13 }, (_, i) => String(i)));
    expect(column('evalLoss')).toEqual(['4.5', ...Array<string>(11).fill(''), '3.25']);
    expect(column('memory.cache').slice(4, 8)).toEqual([String(steps[3].memory.cache), '4096', '4096', String(steps[6].memory.cache)]);
    expect(column('loss').slice(1).map(Number)).toEqual(steps.map(({ loss }) => loss));
  });
});
