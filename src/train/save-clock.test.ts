import { expect, test } from 'vitest';
import { SaveClock } from './save-clock';

/** Steps of `stepSeconds` each until `total` seconds have been trained; when each save came, in seconds of training. */
function saves(stepSeconds: number, stepsPerPeriod: number, cost: number, total: number): number[] {
  const clock = new SaveClock();
  const at: number[] = [];
  for (let step = 1; step * stepSeconds <= total; step++) {
    const trained = step * stepSeconds;
    if (!clock.isDue(step % stepsPerPeriod === 0, trained)) continue;
    clock.noteSave(cost, trained);
    at.push(trained);
  }
  return at;
}

test('the first save comes with the first period, or after half a minute', () => {
  expect(saves(1, 5, 0.1, 30)[0]).toBe(5);
  expect(saves(4, 50, 0.1, 100)[0]).toBe(32);
});

test.each([0.05, 0.4, 3, 20])('saves that take %d s cost at most a fiftieth of the training, the first one apart', (cost) => {
  const at = saves(0.5, 4, cost, 4000);
  expect(at.length).toBeGreaterThan(1);
  for (const [i, trained] of at.entries()) if (i > 0) expect((i + 1) * cost).toBeLessThanOrEqual(0.02 * trained + 1e-9);
  // And they do come: no gap is much longer than the budget asks for.
  expect(4000 - (at.at(-1) ?? 0)).toBeLessThanOrEqual(Math.max(5, cost * 50) + 1);
});

test('a resumed run goes on at its pace, not with a first save', () => {
  const clock = new SaveClock();
  clock.noteSave(0, 100);
  expect(clock.isDue(true, 101)).toBe(false);
  expect(clock.isDue(false, 105)).toBe(true);
});
