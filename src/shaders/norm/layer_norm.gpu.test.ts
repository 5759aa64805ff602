import { describe, expect, it } from 'vitest';
import { scratch } from '../../gpu/lab';
import { nodeLab } from '../../testing/node-lab';
import { randomArray, relativeError } from '../../testing/compare';
import { layerNormBwdDw, layerNormBwdDx, layerNormFwd } from './layer_norm';
import { layerNormBwdRef, layerNormFwdRef } from './layer_norm.ref';
import { differenceError, dot, Inputs, writtenFrom } from '../../testing/rowwise';

const EPS = 1e-5;
// f32 sums in 32 strands and a few more roundings (6e-8 each). Rows with a mean far above their spread lose
// mean/spread digits of x itself, which no algorithm brings back.
const TOLERANCE = 2e-6;

interface Shape {
  rows: number;
  live: number;
  width: number;
  /** Added to every x; with spread 1/√3. */
  shift?: number;
}

async function errors({ rows, live, width, shift = 0.5 }: Shape): Promise<Record<string, number>> {
  const lab = await nodeLab();
  const inputs = new Inputs();
  const n = rows * width;
  const [ws, bs, dys, before] = [randomArray(width, 2), randomArray(width, 6), randomArray(n, 3), randomArray(n, 4)];
  const xs = randomArray(n, 1).map((value) => value + shift);
  const [dwBefore, dbBefore] = [randomArray(width, 5), randomArray(width, 7)];
  const [x, w, b, dy] = [inputs.f32('x', xs), inputs.f32('w', ws), inputs.f32('b', bs), inputs.f32('dy', dys)];
  const [dxAdd, dwAdd, dbAdd] = [
    inputs.f32('dx added to', before),
    inputs.f32('dw added to', dwBefore),
    inputs.f32('db added to', dbBefore),
  ];
  const [y, stats] = [scratch('y', n), scratch('stats', 2 * rows)];
  const [dx, dw, db] = [scratch('dx', n), scratch('dw', width), scratch('db', width)];
  const sizes = { label: 'test', rows, width, live: { extent: 'rows' } as const };
  const frame = { extents: { rows: live } };
  const [gotY, gotStats, gotDx, gotDxAdd, gotDw, gotDb] = await lab.run(
    [
      layerNormFwd({ ...sizes, y, stats, x, w, b, eps: EPS }),
      layerNormBwdDx({ ...sizes, dx, dy, x, stats, w, accumulate: false }),
      layerNormBwdDx({ ...sizes, dx: dxAdd, dy, x, stats, w, accumulate: true }),
      layerNormBwdDw({ ...sizes, dw, db, dy, x, stats }),
    ],
    inputs.data,
    [y, stats, dx, dxAdd, dw, db],
    frame,
  );
  inputs.data.set(stats.buffer, gotStats);
  const adding = [layerNormBwdDw({ ...sizes, dw: dwAdd, db: dbAdd, dy, x, stats })];
  const [gotDwAdd, gotDbAdd] = await lab.run(adding, inputs.data, [dwAdd, dbAdd], { ...frame, accumulate: true });
  const want = layerNormFwdRef(xs, ws, bs, live, width, EPS);
  const grads = layerNormBwdRef(dys, xs, want.mean, want.rstd, ws, live, width);

  const end = live * width;
  expect([writtenFrom(gotY, end), writtenFrom(gotStats, 2 * live), writtenFrom(gotDx, end)]).toEqual([0, 0, 0]);
  const column = (first: number): Float32Array => Float32Array.from({ length: live }, (_, row) => gotStats[2 * row + first]);
  expect(gotDxAdd.subarray(end, n)).toEqual(before.subarray(end));
  return {
    y: relativeError(gotY.subarray(0, end), want.y),
    mean: relativeError(column(0), want.mean),
    rstd: relativeError(column(1), want.rstd),
    dx: relativeError(gotDx.subarray(0, end), grads.dx),
    'dx added': relativeError(
      gotDxAdd.subarray(0, end),
      grads.dx.map((value, i) => value + before[i]),
    ),
    dw: relativeError(gotDw.subarray(0, width), grads.dw),
    db: relativeError(gotDb.subarray(0, width), grads.db),
    'dw added': relativeError(
      gotDwAdd.subarray(0, width),
      grads.dw.map((value, c) => value + dwBefore[c]),
    ),
    'db added': relativeError(
      gotDbAdd.subarray(0, width),
      grads.db.map((value, c) => value + dbBefore[c]),
    ),
  };
}

describe('layer norm', () => {
  const shapes: Shape[] = [
    { rows: 40, live: 37, width: 48 },
    { rows: 9, live: 5, width: 35 },
    { rows: 16, live: 16, width: 768 },
  ];
  for (const shape of shapes) {
    it(`matches the reference: ${shape.live} of ${shape.rows} rows of ${shape.width}`, async () => {
      const found = await errors(shape);
      console.info('layer_norm', shape, found);
      for (const error of Object.values(found)) expect(error).toBeLessThan(TOLERANCE);
    });
  }

  it('keeps the variance of rows whose mean is 300 times their spread', async () => {
    const found = await errors({ rows: 6, live: 6, width: 100, shift: 200 });
    console.info('layer_norm, mean 200', found);
    // The rounding of the mean (200 · 6e-8 = 1.2e-5) against a spread of 0.58 is what is left; Σx² − (Σx)²/C
    // would be off by 300² · 6e-8 = 5e-3.
    for (const error of Object.values(found)) expect(error).toBeLessThan(5e-5);
  });

  it('has a reference whose gradients are those of finite differences', () => {
    const [rows, width] = [3, 7];
    const [x, w, b, dy] = [randomArray(21, 1), randomArray(7, 2), randomArray(7, 4), randomArray(21, 3)];
    const { mean, rstd } = layerNormFwdRef(x, w, b, rows, width, EPS);
    const { dx, dw, db } = layerNormBwdRef(dy, x, mean, rstd, w, rows, width);
    const found = {
      dx: differenceError((at) => dot(layerNormFwdRef(at, w, b, rows, width, EPS).y, dy), x, dx),
      dw: differenceError((at) => dot(layerNormFwdRef(x, at, b, rows, width, EPS).y, dy), w, dw),
      db: differenceError((at) => dot(layerNormFwdRef(x, w, at, rows, width, EPS).y, dy), b, db),
    };
    console.info('layer_norm finite differences', found);
    for (const error of Object.values(found)) expect(error).toBeLessThan(1e-8);
  });

  it('refuses a view that is too small', () => {
    const views = {
      dw: scratch('dw', 16),
      db: scratch('db', 12),
      dy: scratch('dy', 64),
      x: scratch('x', 64),
      stats: scratch('stats', 8),
    };
    expect(() => layerNormBwdDw({ label: 'test', ...views, rows: 4, width: 16 })).toThrow(/layer_norm_bwd_dw, db/);
  });
});
