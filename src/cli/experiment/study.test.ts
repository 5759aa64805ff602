import { expect, test } from 'vitest';
import { keyOf, readStudy, STUDY_DRAWS, writeStudy, type Study, type StudyDraw, type StudyRun } from './study-file';
import { lossPlot, profilePlot } from './study-plot';
import { studyTable, verdict } from './study-table';

const run = (after: number): StudyRun => ({ before: 4, after, counts: [3, 1], periods: 4 });
const study = (losses: Partial<Record<StudyDraw, readonly number[]>>): Study => ({
  options: ['--steps', '8'],
  date: '2026-01-01',
  device: 'a device',
  profile: {
    weights: [0.7, 0.3],
    norms: {
      settings: { rank: 2, alpha: 4, lr: 1e-3, seed: 1, batchSize: 1, gradAccum: 1, seqLen: 8 },
      steps: [{ step: 1, loss: 4, update: [0.7, 0.3], a: [1, 1], b: [1, 1] }],
      base: [10, 10],
      merged: [10, 10],
      full: null,
    },
  },
  runs: Object.fromEntries(
    Object.entries(losses).flatMap(([draw, list]) => list.map((loss, at) => [keyOf(draw as StudyDraw, at + 1), run(loss)])),
  ),
});

test('goes on with a file of the same options, and refuses one of others', () => {
  const known = study({ uniform: [3.5] });
  expect(readStudy(writeStudy(known), ['--steps', '8'], 'f.json')).toEqual(known);
  expect(() => readStudy(writeStudy(known), [], 'f.json')).toThrowError(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  expect(readStudy(null, [], 'f.json')).toMatchObject({ runs: {}, profile: null });
});

test('the table says what was not run', () => {
  const table = studyTable(study({ uniform: [3.5, 3.7], 'LoRA norms': [3.4] }));
  expect(table).toContain('| uniform | 3.6000 | 0.1414 | 3.5000 3.7000 | 3.0 1.0 |');
  expect(table).toContain('| LoRA norms | 3.4000 | one seed | 3.4000 | 3.0 1.0 |');
  expect(table).toContain('| cycle | not run |');
  expect(table).toContain('Too few seeds');
});

test('what is said of inverted importance follows from the spread of seeds', () => {
  const of = (rule: readonly number[], inverted: readonly number[]): string =>
    verdict(study({ 'LoRA norms': rule, 'inverted LoRA norms': inverted }));
  expect(of([3.5, 3.6, 3.7], [3.52, 3.6, 3.7])).toMatch(/^Inverted importance does as well/);
  expect(of([3.5, 3.51, 3.52], [3.8, 3.81, 3.82])).toMatch(/^Importance does better/);
  expect(of([3.8, 3.81, 3.82], [3.5, 3.51, 3.52])).toMatch(/^Inverted importance does better/);
});

test('plots have a dot for each run, and nothing that is not a number', () => {
  const losses = Object.fromEntries(STUDY_DRAWS.map((draw) => [draw, [3.5, 3.6]]));
  const plot = lossPlot(study(losses));
  expect(plot.match(/<circle/g)).toHaveLength(10);
  for (const svg of [plot, profilePlot(study({})), lossPlot(study({ uniform: [3.5] }))]) {
    expect(svg).toMatch(/^<svg [^>]*>/);
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  }
});
