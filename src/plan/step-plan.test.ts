import { expect, test } from 'vitest';
import { assignments, METHODS, runConfig, runPlan } from '../testing/plans';
import { SHAPES } from '../testing/shapes';
import { liveHead } from './step-plan';
import type { Dispatch } from '../dispatch/types';

const paramOf = ({ kernel, params }: Dispatch, name: string): number =>
  new DataView(params.buffer, params.byteOffset).getUint32(4 * kernel.params.findIndex((param) => param.name === name), true);

const shape = SHAPES['wordsmith-2m'];
const plan = runPlan(shape, runConfig(shape, METHODS[1], { seqLen: 130, batchSize: 5 }));
const { rows } = plan.capacity;
const { head } = plan.step(assignments(plan)[0]);
const { chunkRows } = head;

test('chunks of the head have chunkRows rows each, and the last one has the rest', () => {
  expect(rows).toBe(5 * 130);
  expect(chunkRows).toBe(256);
  const ranges = head.chunks.map(({ dispatches }) => {
    const loss = dispatches.find(({ label }) => label === 'head/loss')!;
    return [paramOf(loss, 'row0'), paramOf(loss, 'rows')];
  });
  expect(ranges).toEqual([
    [0, 256],
    [256, 256],
    [512, 138],
  ]);
});

// Without a target one chunk still runs, because it clears the gradient of the head's matrix in a step's first micro-batch.
test.each([
  [0, 1],
  [1, 1],
  [chunkRows - 1, 1],
  [chunkRows, 1],
  [chunkRows + 1, 2],
  [2 * chunkRows, 2],
  [2 * chunkRows + 1, 3],
  [rows, 3],
])('with %i targets, %i chunks run between the first and the last segment', (targets, chunks) => {
  expect(liveHead(head, { ...plan.capacity, targets })).toEqual([head.first, ...head.chunks.slice(0, chunks), head.last]);
});
