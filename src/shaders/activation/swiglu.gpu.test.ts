import { describe, expect, it } from 'vitest';
import { scratch } from '../../gpu/lab';
import { nodeLab } from '../../testing/node-lab';
import { randomArray, relativeError } from '../../testing/compare';
import { differenceError, dot, Inputs, writtenFrom } from '../../testing/rowwise';
import { swigluBwdDx, swigluFwd } from './swiglu';
import { swigluBwdRef, swigluFwdRef } from './swiglu.ref';

async function run(rows: number, live: number, ff: number, gus: Float32Array, dhs: Float32Array) {
  const lab = await nodeLab();
  const inputs = new Inputs();
  const [gu, dh] = [inputs.f32('gu', gus), inputs.f32('dh', dhs)];
  const [h, dgu] = [scratch('h', rows * ff), scratch('dgu', rows * 2 * ff)];
  const sizes = { label: 'test', gu, rows, ff, live: { extent: 'rows' } as const };
  const [gotH, gotDgu] = await lab.run([swigluFwd({ ...sizes, h }), swigluBwdDx({ ...sizes, dgu, dh })], inputs.data, [h, dgu], {
    extents: { rows: live },
  });
  expect([writtenFrom(gotH, live * ff), writtenFrom(gotDgu, live * 2 * ff)]).toEqual([0, 0]);
  return { h: gotH.subarray(0, live * ff), dgu: gotDgu.subarray(0, live * 2 * ff) };
}

describe('SwiGLU', () => {
  for (const [rows, live, ff] of [
    [40, 37, 100],
    [9, 5, 35],
    [8, 8, 1536],
  ]) {
    it(`matches the reference: ${live} of ${rows} rows of ${ff}`, async () => {
      const gus = randomArray(rows * 2 * ff, 1).map((value) => value * 6);
      const dhs = randomArray(rows * ff, 2);
      const got = await run(rows, live, ff, gus, dhs);
      const found = { h: relativeError(got.h, swigluFwdRef(gus, live, ff)), dgu: relativeError(got.dgu, swigluBwdRef(dhs, gus, live, ff)) };
      console.info('swiglu', { rows, live, ff }, found);
      // An exponential of WGSL may be off by 3 + 2|x| units in the last place (6e-8).
      for (const error of Object.values(found)) expect(error).toBeLessThan(1e-6);
    });
  }

  it('stays finite for gates of any size', async () => {
    const gates = [100, -100, 1e4, -1e4, 1e6, -1e6, 0, 30];
    const gus = Float32Array.from([...gates, ...gates.map(() => 2)]);
    const got = await run(1, 1, 8, gus, new Float32Array(8).fill(1));
    const close = (values: ArrayLike<number>, want: number[]) =>
      want.forEach((value, i) => expect(Math.abs(values[i] - value)).toBeLessThanOrEqual(1e-6 * Math.abs(value) + 1e-25));
    close(got.h, [200, 0, 2e4, 0, 2e6, 0, 0, 60]);
    close(got.dgu, [2, 0, 2, 0, 2, 0, 1, 2, 100, 0, 1e4, 0, 1e6, 0, 0, 30]);
  });

  it('has a reference whose gradients are those of finite differences', () => {
    const gu = randomArray(3 * 10, 1).map((value) => value * 4);
    const dh = randomArray(3 * 5, 2);
    const found = differenceError((at) => dot(swigluFwdRef(at, 3, 5), dh), gu, swigluBwdRef(dh, gu, 3, 5));
    console.info('swiglu finite differences', found);
    expect(found).toBeLessThan(1e-8);
  });

  it('moves every byte of its views once', () => {
    const views = { gu: scratch('gu', 4 * 32), h: scratch('h', 4 * 16), dgu: scratch('dgu', 4 * 32), dh: scratch('dh', 4 * 16) };
    for (const of of [swigluFwd({ label: 'test', ...views, rows: 4, ff: 16 }), swigluBwdDx({ label: 'test', ...views, rows: 4, ff: 16 })])
      expect(of.work.bytes).toEqual({ one: of.views.reduce((sum, { bytes }) => sum + bytes, 0) });
  });

  it('refuses a view that is too small', () => {
    expect(() => swigluFwd({ label: 'test', h: scratch('h', 64), gu: scratch('gu', 100), rows: 4, ff: 16 })).toThrow(/swiglu_fwd, gu/);
  });
});
