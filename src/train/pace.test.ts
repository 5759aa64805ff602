import { expect, test } from 'vitest';
import { Pace } from './pace';

function paced() {
  const rests: number[] = [];
  const clock = { ms: 0 };
  const pace = new Pace(
    () => clock.ms,
    (ms) => {
      rests.push(ms);
      return Promise.resolve();
    },
  );
  const step = async (ms: number): Promise<void> => {
    await pace.breathe();
    pace.begin();
    clock.ms += ms;
  };
  return { pace, rests, step };
}

test('rests as long as its share of the step before, and never long enough to seem dead', async () => {
  const { pace, rests, step } = paced();
  pace.rest = 1;
  for (const ms of [200, 300, 60_000, 100]) await step(ms);
  expect(rests).toEqual([200, 300, 5000]);
  pace.rest = 0.5;
  await step(100);
  expect(rests.at(-1)).toBe(50);
});

test('at full pace never, and not after a pause', async () => {
  const { pace, rests, step } = paced();
  await step(200);
  await step(200);
  pace.rest = 1;
  await pace.breathe();
  await pace.breathe();
  expect(rests).toEqual([200]);
});
