import { expect, test } from 'vitest';
import { DutyCycle } from './duty';

function paced() {
  const rests: number[] = [];
  const clock = { ms: 0 };
  const duty = new DutyCycle(
    () => clock.ms,
    (ms) => {
      rests.push(ms);
      return Promise.resolve();
    },
  );
  const step = async (ms: number): Promise<void> => {
    await duty.rest();
    duty.begin();
    clock.ms += ms;
  };
  return { duty, rests, step };
}

test('rests for its share of the previous step, and never long enough to seem dead', async () => {
  const { duty, rests, step } = paced();
  duty.share = 1;
  for (const ms of [200, 300, 60_000, 100]) await step(ms);
  expect(rests).toEqual([200, 300, 5000]);
  duty.share = 0.5;
  await step(100);
  expect(rests.at(-1)).toBe(50);
});

test('does not rest at full pace, nor after a pause', async () => {
  const { duty, rests, step } = paced();
  await step(200);
  await step(200);
  duty.share = 1;
  await duty.rest();
  await duty.rest();
  expect(rests).toEqual([200]);
});
