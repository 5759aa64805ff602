import { describe, expect, it } from 'vitest';
import { scratch } from '../../gpu/lab';
import { nodeLab } from '../../testing/node-lab';
import { columnSum } from './column_sum';
import { columnSumRef } from './column_sum.ref';
import { randomArray, relativeError } from '../../testing/compare';
import { Inputs } from '../../testing/rowwise';

describe('column sum', () => {
  for (const { rows, live, width, ldy = width, y0 = 0 } of [
    { rows: 40, live: 37, width: 48 },
    { rows: 40, live: 37, width: 35, ldy: 101, y0: 50 },
    { rows: 9, live: 0, width: 10 },
    { rows: 512, live: 512, width: 768 },
  ]) {
    it(`matches the reference: ${live} of ${rows} rows, columns ${y0}…${y0 + width} of ${ldy}`, async () => {
      const lab = await nodeLab();
      const inputs = new Inputs();
      const dys = randomArray(rows * ldy, 1);
      const before = randomArray(width, 2);
      const dy = inputs.f32('dy', dys);
      const want = columnSumRef(dys, live, width, ldy, y0);
      const found: Record<string, number> = {};
      for (const accumulate of [false, true]) {
        const db = inputs.f32('db', before);
        const one = columnSum({ label: 'test', db, dy, rows, width, ldy, y0, live: { extent: 'rows' } });
        const [got] = await lab.run([one], inputs.data, [db], { extents: { rows: live }, accumulate });
        const error = relativeError(got.subarray(0, width), accumulate ? want.map((value, c) => value + before[c]) : want);
        found[accumulate ? 'added' : 'assigned'] = error;
      }
      console.info('column_sum', { rows, live, width, ldy, y0 }, found);
      for (const error of Object.values(found)) expect(error).toBeLessThan(1e-6); // sums in 8 strands
    });
  }

  it('refuses columns outside the rows, and a view that is too small', () => {
    const views = { db: scratch('db', 16), dy: scratch('dy', 64) };
    expect(() => columnSum({ label: 'test', ...views, rows: 4, width: 16, ldy: 16, y0: 1 })).toThrow(/column_sum, dy/);
    expect(() => columnSum({ label: 'test', ...views, rows: 5, width: 16 })).toThrow(/column_sum, dy/);
  });
});
