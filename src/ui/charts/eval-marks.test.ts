import { expect, it } from 'vitest';
import { evalMarks } from './eval-marks';

const marks = (count: number, width: number) => Array.from({ length: count }, (_, i) => ({ x: (i / (count - 1)) * width, y: 0, loss: i }));

it('a few evaluations all have a ring and a label', () => {
  const { points, labels, radius } = evalMarks(marks(4, 600), 600);
  expect([points.length, labels.length, radius]).toEqual([4, 4, 4]);
});

it('thousands stay apart, and the last is always there', () => {
  const { points, labels, radius } = evalMarks(marks(2000, 600), 600);
  expect(points.length).toBeLessThanOrEqual(121);
  points.forEach((point, i) => i > 0 && expect(point.x - points[i - 1].x).toBeGreaterThanOrEqual(5));
  expect(points.at(-1)?.loss).toBe(1999);
  expect(labels).toEqual([points[0], points.at(-1)]);
  expect(radius).toBe(2);
});

it('labels keep their distance', () => {
  const { labels } = evalMarks(marks(30, 600), 600);
  expect(labels.length).toBeGreaterThan(5);
  labels.forEach((label, i) => i > 0 && expect(label.x - labels[i - 1].x).toBeGreaterThanOrEqual(46));
});

it('none is none', () => {
  expect(evalMarks([], 600)).toMatchObject({ points: [], labels: [] });
});
