import { describe, expect, it } from 'vitest';
import { scratch } from '../../gpu/lab';
import { nodeLab } from '../../testing/node-lab';
import { randomArray, relativeError } from '../../testing/compare';
import { geluBwdDx, geluFwd, type GeluKind } from './gelu';
import { erf, geluRef, geluSlopeRef } from './gelu.ref';
import { differenceError, Inputs, writtenFrom } from '../../testing/rowwise';

async function run(kind: GeluKind, rows: number, live: number, width: number, xs: Float32Array, dys: Float32Array) {
  const lab = await nodeLab();
  const inputs = new Inputs();
  const [x, dy] = [inputs.f32('x', xs), inputs.f32('dy', dys)];
  const [y, dx] = [scratch('y', rows * width), scratch('dx', rows * width)];
  const sizes = { label: 'test', x, kind, rows, width, live: { extent: 'rows' } as const };
  const [gotY, gotDx] = await lab.run([geluFwd({ ...sizes, y }), geluBwdDx({ ...sizes, dx, dy })], inputs.data, [y, dx], {
    extents: { rows: live },
  });
  const end = live * width;
  expect([writtenFrom(gotY, end), writtenFrom(gotDx, end)]).toEqual([0, 0]);
  return { y: gotY.subarray(0, end), dx: gotDx.subarray(0, end) };
}

describe('GELU', () => {
  for (const kind of ['tanh', 'erf'] as const) {
    for (const [rows, live, width] of [
      [40, 37, 100],
      [9, 5, 35],
      [8, 8, 3072],
    ]) {
      it(`${kind} matches the reference: ${live} of ${rows} rows of ${width}`, async () => {
        const xs = randomArray(rows * width, 1).map((value) => value * 4);
        const dys = randomArray(rows * width, 2);
        const got = await run(kind, rows, live, width, xs, dys);
        const used = Array.from(xs.subarray(0, live * width));
        const found = {
          y: relativeError(
            got.y,
            used.map((x) => geluRef(x, kind)),
          ),
          dx: relativeError(
            got.dx,
            used.map((x, i) => dys[i] * geluSlopeRef(x, kind)),
          ),
        };
        console.info('gelu', kind, { rows, live, width }, found);
        // An exponential of WGSL may be off by 3 + 2|x| units in the last place (6e-8).
        for (const error of Object.values(found)) expect(error).toBeLessThan(1e-6);
      });
    }

    it(`${kind} has a Φ within 5e-7 from −12 to 12, and no NaN however large x is`, async () => {
      const grid = Float32Array.from({ length: 4800 }, (_, i) => -12 + i / 200 + 1 / 1024);
      const xs = Float32Array.from([...grid, 100, -100, 1e4, -1e4, 0, 1e-20, 30, -30]);
      const got = await run(kind, 1, 1, xs.length, xs, new Float32Array(xs.length).fill(1));
      let [cdf, slope] = [0, 0];
      grid.forEach((x, i) => {
        cdf = Math.max(cdf, Math.abs(got.y[i] - geluRef(x, kind)) / Math.abs(x));
        slope = Math.max(slope, Math.abs(got.dx[i] - geluSlopeRef(x, kind)));
      });
      console.info('gelu', kind, 'absolute errors', { cdf, slope });
      expect(cdf).toBeLessThan(5e-7);
      expect(slope).toBeLessThan(1e-6);
      const far = [...got.y.subarray(4800)];
      [100, 0, 1e4, 0, 0, 5e-21, 30, 0].forEach((want, i) => expect(Math.abs(far[i] - want)).toBeLessThanOrEqual(1e-6 * want + 1e-25));
      expect([...got.dx.subarray(4800)].every((value) => Number.isFinite(value))).toBe(true);
    });
  }

  it('has a reference that knows erf and whose slope is that of finite differences', () => {
    // Abramowitz & Stegun, table 7.1.
    for (const [z, value] of [
      [0.5, 0.5204998778],
      [1, 0.8427007929],
      [2, 0.995322265],
      [-1, -0.8427007929],
    ])
      expect(Math.abs(erf(z) - value)).toBeLessThan(1e-10);
    expect(Math.abs(erf(2.5 - 1e-12) - erf(2.5 + 1e-12))).toBeLessThan(1e-14);
    for (const kind of ['tanh', 'erf'] as const) {
      const xs = randomArray(50, 3).map((value) => value * 5);
      const slopes = Array.from(xs, (x) => geluSlopeRef(x, kind));
      const found = differenceError((at) => at.reduce((sum, x) => sum + geluRef(x, kind), 0), xs, slopes);
      console.info('gelu', kind, 'finite differences', found);
      expect(found).toBeLessThan(1e-8);
    }
  });

  it('refuses a view that is too small', () => {
    expect(() => geluFwd({ label: 'test', y: scratch('y', 60), x: scratch('x', 64), kind: 'erf', rows: 4, width: 16 })).toThrow(
      /gelu_fwd, y/,
    );
  });
});
