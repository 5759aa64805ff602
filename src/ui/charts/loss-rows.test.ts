import { expect, it } from 'vitest';
import { Column } from '../../store/columns';
import { lossRange, lossRows, MOST_POINTS } from './loss-rows';

function columns(losses: readonly number[]) {
  const made = { step: new Column(), loss: new Column(), smooth: new Column() };
  losses.forEach((loss, i) => (made.step.push(i + 1), made.loss.push(loss), made.smooth.push(2)));
  return made;
}

it('merges steps and evaluations by step, and leaves out what is no number', () => {
  const rows = lossRows(columns([3, NaN, 1]), [
    { step: 0, loss: 4 },
    { step: 3, loss: 0.5 },
  ]);
  expect(rows).toEqual([
    { step: 0, eval: 4 },
    { step: 1, loss: 3, smooth: 2 },
    { step: 2, loss: undefined, smooth: 2 },
    { step: 3, loss: 1, smooth: 2, eval: 0.5 },
  ]);
  expect(lossRange(rows)).toEqual([0.5, 4]);
});

it('keeps a long run within the limit, with its spike', () => {
  const losses = Array.from({ length: 50_000 }, (_, i) => (i === 31_415 ? 40 : 2 + Math.sin(i) / 10));
  const rows = lossRows(columns(losses), []);
  expect(rows.length).toBeLessThanOrEqual(MOST_POINTS);
  expect(lossRange(rows)[1]).toBe(40);
});
