import { describe, expect, it } from 'vitest';
import { scratch } from '../../gpu/lab';
import { nodeLab } from '../../testing/node-lab';
import { randomArray, relativeError } from '../../testing/compare';
import { gatherRows, NO_ROW, scatterRows } from './rows';
import { gatherRowsRef, scatterRowsRef } from './rows.ref';
import { Inputs, writtenFrom } from '../../testing/rowwise';

describe('gather and scatter of rows', () => {
  for (const [rows, live, width] of [
    [40, 37, 48],
    [9, 5, 35],
    [32, 32, 576],
  ]) {
    it(`moves rows bit for bit: ${live} of ${rows} rows of ${width}`, async () => {
      const lab = await nodeLab();
      const inputs = new Inputs();
      const index = Array.from({ length: live }, (_, n) => n).filter((n) => n % 3 !== 1);
      const inverse = new Array<number>(rows).fill(NO_ROW);
      index.forEach((n, m) => (inverse[n] = m));
      const xs = randomArray(rows * width, 1);
      const x = inputs.f32('x', xs);
      const [picked, back] = [scratch('picked', rows * width), scratch('back', rows * width)];
      const padded = [...index, ...new Array<number>(rows - index.length).fill(0)];
      const [gotPicked, gotBack] = await lab.run(
        [
          gatherRows({ label: 'gather', y: picked, x, index: inputs.u32('index', padded), rows, width, live: { extent: 'targets' } }),
          scatterRows({
            label: 'scatter',
            y: back,
            x: picked,
            inverse: inputs.u32('inverse', inverse),
            rows,
            width,
            live: { extent: 'rows' },
          }),
        ],
        inputs.data,
        [picked, back],
        { extents: { rows: live, targets: index.length } },
      );
      expect([writtenFrom(gotPicked, index.length * width), writtenFrom(gotBack, live * width)]).toEqual([0, 0]);
      const want = gatherRowsRef(xs, index, width);
      const found = {
        gather: relativeError(gotPicked.subarray(0, want.length), want),
        scatter: relativeError(gotBack.subarray(0, live * width), scatterRowsRef(want, index, live, width)),
      };
      console.info('rows', { rows, live, width }, found);
      expect(found).toEqual({ gather: 0, scatter: 0 });
    });
  }

  it('gathers one chunk of the targets: row 0 of y is target row0', async () => {
    const lab = await nodeLab();
    const inputs = new Inputs();
    const [width, row0, rows] = [12, 5, 4];
    const index = [8, 7, 6, 5, 4, 3, 2, 1, 0];
    const xs = randomArray(9 * width, 1);
    const y = scratch('y', rows * width);
    const one = gatherRows({
      label: 'test',
      y,
      x: inputs.f32('x', xs),
      index: inputs.u32('index', index),
      rows,
      width,
      live: { extent: 'targets', row0 },
    });
    // Targets 5, 6 and 7 are live: the chunk's fourth row is not.
    const [got] = await lab.run([one], inputs.data, [y], { extents: { targets: 8 } });
    expect(relativeError(got.subarray(0, 3 * width), gatherRowsRef(xs, [3, 2, 1], width))).toBe(0);
    expect(writtenFrom(got, 3 * width)).toBe(0);
  });

  it('refuses a view that is too small', () => {
    const views = { y: scratch('y', 64), x: scratch('x', 64), inverse: scratch('inverse', 4) };
    expect(() => scatterRows({ label: 'test', ...views, rows: 4, width: 16, live: { extent: 'rows', row0: 1 } })).toThrow(
      /rows_scatter, inverse/,
    );
  });
});
