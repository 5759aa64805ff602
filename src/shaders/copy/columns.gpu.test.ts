import { expect, it } from 'vitest';
import { scratch } from '../../gpu/lab';
import { randomArray } from '../../testing/compare';
import { nodeLab } from '../../testing/node-lab';
import { Inputs } from '../../testing/rowwise';
import { putColumns, takeColumns } from './columns';

it.each([
  { rows: 7, live: 5, stride: 29, index: [28, 0, 3, 17, 4] },
  { rows: 64, live: 64, stride: 257, index: Array.from({ length: 200 }, (_, j) => (j * 37) % 257) },
  { rows: 3, live: 1, stride: 8, index: [6] },
])('takes columns out, leaving zeros, and puts them back: $rows × $stride', async ({ rows, live, stride, index }) => {
  const lab = await nodeLab();
  const inputs = new Inputs();
  const before = randomArray(rows * stride, 1);
  const other = randomArray(rows * index.length, 2);
  const whole = inputs.f32('whole', before);
  const again = inputs.f32('again', before);
  const part = scratch('part', rows * index.length);
  const sizes = {
    label: 'test',
    index: inputs.u32('index', index),
    rows,
    columns: index.length,
    stride,
    live: { extent: 'targets' } as const,
  };
  const [gotPart, gotWhole, gotAgain] = await lab.run(
    [takeColumns({ ...sizes, whole, part }), putColumns({ ...sizes, whole: again, part: inputs.f32('other', other) })],
    inputs.data,
    [part, whole, again],
    { extents: { targets: live } },
  );
  const [wantPart, wantWhole, wantAgain] = [new Array<number>(live * index.length), [...before], [...before]];
  for (let row = 0; row < live; row++) {
    index.forEach((column, j) => {
      wantPart[row * index.length + j] = before[row * stride + column];
      wantWhole[row * stride + column] = 0;
      wantAgain[row * stride + column] = other[row * index.length + j];
    });
  }
  expect([...gotPart.subarray(0, wantPart.length)]).toEqual(wantPart);
  expect(gotPart.subarray(wantPart.length, rows * index.length).every(Number.isNaN)).toBe(true);
  expect([...gotWhole.subarray(0, wantWhole.length)]).toEqual(wantWhole);
  expect([...gotAgain.subarray(0, wantAgain.length)]).toEqual(wantAgain);
});

it('refuses views that are too small', () => {
  const sizes = {
    label: 'test',
    rows: 4,
    columns: 8,
    stride: 16,
    whole: scratch('whole', 64),
    part: scratch('part', 32),
    index: scratch('i', 8),
  };
  expect(() => takeColumns({ ...sizes, part: scratch('part', 28) })).toThrow(/columns_take, part/);
  expect(() => putColumns({ ...sizes, whole: scratch('whole', 60) })).toThrow(/columns_put, whole/);
  expect(() => putColumns({ ...sizes, index: scratch('i', 4) })).toThrow(/columns_put, index/);
});
