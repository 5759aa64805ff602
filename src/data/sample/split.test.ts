import { expect, test } from 'vitest';
import { randomStream } from '../../base/random';
import { heldCount, splittingAtRandom } from './split';

test('a split of many rows comes in steps, and is what the shuffled order says', () => {
  const items = Array.from({ length: 200_000 }, (_, i) => i);
  const steps = splittingAtRandom(items, 0.05, 7);
  let count = 0;
  let last = steps.next();
  for (; !last.done; last = steps.next()) count++;
  // No step goes over more than 2^14 of them.
  expect(count).toBeGreaterThan((2 * items.length) / 2 ** 14);
  const order = randomStream(7, 'split').shuffle(Uint32Array.from(items));
  const held = [...order.subarray(0, heldCount(items.length, 0.05))].sort((a, b) => a - b);
  expect(last.value.held).toEqual(held);
  expect(last.value.train).toHaveLength(190_000);
});
