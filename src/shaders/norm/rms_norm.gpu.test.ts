import { describe, expect, it } from 'vitest';
import { scratch } from '../../gpu/lab';
import { nodeLab } from '../../testing/node-lab';
import { randomArray, relativeError } from '../../testing/compare';
import { rmsNormBwdDw, rmsNormBwdDx, rmsNormFwd } from './rms_norm';
import { rmsNormBwdRef, rmsNormFwdRef } from './rms_norm.ref';
import { differenceError, dot, Inputs, writtenFrom } from '../../testing/rowwise';

const EPS = 1e-5;
// f32 sums of C products in 32 strands, then a square root and three products: a few units in the last
// place (6e-8) each; the dw sums run over rows.
const TOLERANCE = 2e-6;

interface Shape {
  rows: number;
  live: number;
  width: number;
}

async function errors({ rows, live, width }: Shape): Promise<Record<string, number>> {
  const lab = await nodeLab();
  const inputs = new Inputs();
  const n = rows * width;
  const [xs, ws, dys, before, dwBefore] = [
    randomArray(n, 1),
    randomArray(width, 2),
    randomArray(n, 3),
    randomArray(n, 4),
    randomArray(width, 5),
  ];
  const x = inputs.f32('x', xs);
  const w = inputs.f32('w', ws);
  const dy = inputs.f32('dy', dys);
  const dxAdd = inputs.f32('dx added to', before);
  const dwAdd = inputs.f32('dw added to', dwBefore);
  const [y, rstd, dx, dw] = [scratch('y', n), scratch('rstd', rows), scratch('dx', n), scratch('dw', width)];
  const sizes = { label: 'test', rows, width, live: { extent: 'rows' } as const };
  const frame = { extents: { rows: live } };
  const [gotY, gotRstd, gotDx, gotDxAdd, gotDw] = await lab.run(
    [
      rmsNormFwd({ ...sizes, y, rstd, x, w, eps: EPS }),
      rmsNormBwdDx({ ...sizes, dx, dy, x, rstd, w, accumulate: false }),
      rmsNormBwdDx({ ...sizes, dx: dxAdd, dy, x, rstd, w, accumulate: true }),
      rmsNormBwdDw({ ...sizes, dw, dy, x, rstd }),
    ],
    inputs.data,
    [y, rstd, dx, dxAdd, dw],
    frame,
  );
  const want = rmsNormFwdRef(xs, ws, live, width, EPS);
  const grads = rmsNormBwdRef(dys, xs, want.rstd, ws, live, width);
  inputs.data.set(rstd.buffer, gotRstd);
  const [gotDwAdd] = await lab.run([rmsNormBwdDw({ ...sizes, dw: dwAdd, dy, x, rstd })], inputs.data, [dwAdd], {
    ...frame,
    accumulate: true,
  });

  const end = live * width;
  expect([writtenFrom(gotY, end), writtenFrom(gotRstd, live), writtenFrom(gotDx, end)]).toEqual([0, 0, 0]);
  expect(gotDxAdd.subarray(end, n)).toEqual(before.subarray(end));
  return {
    y: relativeError(gotY.subarray(0, end), want.y),
    rstd: relativeError(gotRstd.subarray(0, live), want.rstd),
    dx: relativeError(gotDx.subarray(0, end), grads.dx),
    'dx added': relativeError(
      gotDxAdd.subarray(0, end),
      grads.dx.map((value, i) => value + before[i]),
    ),
    dw: relativeError(gotDw.subarray(0, width), grads.dw),
    'dw added': relativeError(
      gotDwAdd.subarray(0, width),
      grads.dw.map((value, c) => value + dwBefore[c]),
    ),
  };
}

describe('RMS norm', () => {
  const shapes: Shape[] = [
    { rows: 40, live: 37, width: 48 },
    { rows: 9, live: 5, width: 35 },
    // Not 1: there x̂ is ±1 and dx the difference of two equal numbers.
    { rows: 3, live: 3, width: 3 },
    { rows: 16, live: 16, width: 576 },
  ];
  for (const shape of shapes) {
    it(`matches the reference: ${shape.live} of ${shape.rows} rows of ${shape.width}`, async () => {
      const found = await errors(shape);
      console.info('rms_norm', shape, found);
      for (const error of Object.values(found)) expect(error).toBeLessThan(TOLERANCE);
    });
  }

  it.each([48, 35])('takes weights that are distances from one, and adds a residual: %i columns', async (width) => {
    const lab = await nodeLab();
    const rows = 5;
    const inputs = new Inputs();
    const [xs, ws, dys, adds] = [1, 2, 3, 4].map((seed) => randomArray(seed === 2 ? width : rows * width, seed));
    const [x, w, dy, residual] = [inputs.f32('x', xs), inputs.f32('w', ws), inputs.f32('dy', dys), inputs.f32('residual', adds)];
    const [y, rstd, dx] = [scratch('y', rows * width), scratch('rstd', rows), scratch('dx', rows * width)];
    const sizes = { label: 'test', rows, width, x, w, rstd, offset: 1 } as const;
    const [gotY, gotDx] = await lab.run(
      [rmsNormFwd({ ...sizes, y, residual, eps: EPS }), rmsNormBwdDx({ ...sizes, dx, dy, accumulate: false })],
      inputs.data,
      [y, dx],
    );
    const gains = Float64Array.from(ws, (weight) => 1 + weight);
    const want = rmsNormFwdRef(xs, gains, rows, width, EPS);
    const summed = want.y.map((value, i) => value + adds[i]);
    const { dx: wantDx } = rmsNormBwdRef(dys, xs, want.rstd, gains, rows, width);
    expect(relativeError(gotY.subarray(0, rows * width), summed)).toBeLessThan(TOLERANCE);
    expect(relativeError(gotDx.subarray(0, rows * width), wantDx)).toBeLessThan(TOLERANCE);
  });

  it('assigns a zero dw when no row is live', async () => {
    const lab = await nodeLab();
    const dw = scratch('dw', 8);
    const views = { dw, dy: scratch('dy', 32), x: scratch('x', 32), rstd: scratch('rstd', 4) };
    const [got] = await lab.run([rmsNormBwdDw({ label: 'test', ...views, rows: 4, width: 8, live: { extent: 'rows' } })], new Map(), [dw]);
    expect([...got]).toEqual(new Array(8).fill(0));
  });

  it('has a reference whose gradients are those of finite differences', () => {
    const [rows, width] = [3, 7];
    const [x, w, dy] = [randomArray(21, 1), randomArray(7, 2), randomArray(21, 3)];
    const { rstd } = rmsNormFwdRef(x, w, rows, width, EPS);
    const { dx, dw } = rmsNormBwdRef(dy, x, rstd, w, rows, width);
    const found = {
      dx: differenceError((at) => dot(rmsNormFwdRef(at, w, rows, width, EPS).y, dy), x, dx),
      dw: differenceError((at) => dot(rmsNormFwdRef(x, at, rows, width, EPS).y, dy), w, dw),
    };
    console.info('rms_norm finite differences', found);
    for (const error of Object.values(found)) expect(error).toBeLessThan(1e-8);
  });

  it('refuses a view that is too small', () => {
    const views = { y: scratch('y', 64), rstd: scratch('rstd', 4), x: scratch('x', 60), w: scratch('w', 16) };
    expect(() => rmsNormFwd({ label: 'test', ...views, rows: 4, width: 16, eps: EPS })).toThrow(/rms_norm_fwd, x/);
  });
});
