import { describe, expect, it } from 'vitest';
import { scratch } from '../../gpu/lab';
import { nodeLab } from '../../testing/node-lab';
import type { HeadSizes } from '../attention/attention_layout';
import { randomArray, relativeError } from '../../testing/compare';
import { rmsNormHeadsBwdDw, rmsNormHeadsBwdDx, rmsNormHeadsFwd } from './rms_norm_heads';
import { rmsNormHeadsBwdRef, rmsNormHeadsFwdRef } from './rms_norm_heads.ref';
import { differenceError, dot, Inputs, writtenFrom } from '../../testing/rowwise';

const EPS = 1e-6;
// As of rms_norm: f32 sums of D products in 32 strands, a square root, three products; dw sums over rows and heads.
const TOLERANCE = 2e-6;

interface Shape extends HeadSizes {
  readonly offset?: 0 | 1;
  readonly rows: number;
  readonly live: number;
}

/** The q and k heads of qkv, side by side. */
function normedHeads(qkv: ArrayLike<number>, rows: number, { heads, kvHeads, headDim }: HeadSizes): number[] {
  const row = (heads + 2 * kvHeads) * headDim;
  return Array.from({ length: rows }, (_, n) => Array.from(qkv).slice(n * row, n * row + (heads + kvHeads) * headDim)).flat();
}

async function errors({ rows, live, offset = 0, ...sizes }: Shape): Promise<Record<string, number>> {
  const lab = await nodeLab();
  const inputs = new Inputs();
  const { heads, kvHeads, headDim } = sizes;
  const row = (heads + 2 * kvHeads) * headDim;
  const normed = heads + kvHeads;
  const xs = randomArray(rows * row, 1);
  const ws = randomArray(2 * headDim, 2);
  const dys = randomArray(rows * row, 3);
  const before = randomArray(2 * headDim, 4);
  const qkv = inputs.f32('qkv', xs);
  const w = inputs.f32('w', ws);
  const dqkv = inputs.f32('dqkv', dys);
  const dwAdd = inputs.f32('dw added to', before);
  const [raw, rstd, dw] = [scratch('raw', rows * normed * headDim), scratch('rstd', rows * normed), scratch('dw', 2 * headDim)];
  const of = { label: 'test', rows, ...sizes };
  const frame = { extents: { rows: live } };
  const [gotY, gotRaw, gotRstd, gotDw, gotDx] = await lab.run(
    [
      rmsNormHeadsFwd({ ...of, qkv, raw, rstd, w, eps: EPS, offset }),
      rmsNormHeadsBwdDw({ ...of, dw, dqkv, raw, rstd }),
      rmsNormHeadsBwdDx({ ...of, dqkv, raw, rstd, w, offset }),
    ],
    inputs.data,
    [qkv, raw, rstd, dw, dqkv],
    frame,
  );
  inputs.data.set(raw.buffer, gotRaw).set(rstd.buffer, gotRstd);
  const added = await lab.run([rmsNormHeadsBwdDw({ ...of, dw: dwAdd, dqkv, raw, rstd })], inputs.data, [dwAdd], {
    ...frame,
    accumulate: true,
  });

  const end = live * row;
  const gains = Float64Array.from(ws, (weight) => offset + weight);
  const want = rmsNormHeadsFwdRef(xs, gains, live, sizes, EPS);
  const grads = rmsNormHeadsBwdRef(dys, xs, want.rstd, gains, live, sizes);
  expect(gotRaw.subarray(0, live * normed * headDim)).toEqual(Float32Array.from(normedHeads(xs, live, sizes)));
  expect([writtenFrom(gotRaw, live * normed * headDim), writtenFrom(gotRstd, live * normed)]).toEqual([0, 0]);
  expect([gotY, gotDx].map((got) => got.subarray(end, rows * row))).toEqual([xs, dys].map((given) => given.subarray(end)));
  return {
    y: relativeError(gotY.subarray(0, end), want.y.subarray(0, end)),
    rstd: relativeError(gotRstd.subarray(0, live * normed), want.rstd),
    dx: relativeError(gotDx.subarray(0, end), grads.dx.subarray(0, end)),
    dw: relativeError(gotDw.subarray(0, 2 * headDim), grads.dw),
    'dw added': relativeError(
      added[0].subarray(0, 2 * headDim),
      grads.dw.map((value, d) => value + before[d]),
    ),
  };
}

describe('RMS norm of heads', () => {
  const shapes: Shape[] = [
    { rows: 40, live: 37, heads: 3, kvHeads: 1, headDim: 10 },
    { rows: 9, live: 5, heads: 4, kvHeads: 2, headDim: 35 },
    { rows: 7, live: 7, heads: 2, kvHeads: 2, headDim: 12, offset: 1 },
    // Qwen3 0.6B.
    { rows: 33, live: 32, heads: 16, kvHeads: 8, headDim: 128 },
  ];
  for (const shape of shapes) {
    it(`matches the reference: ${shape.live} of ${shape.rows} rows, H ${shape.heads}, K ${shape.kvHeads}, D ${shape.headDim}`, async () => {
      const found = await errors(shape);
      console.info('rms_norm_heads', shape, found);
      for (const error of Object.values(found)) expect(error).toBeLessThan(TOLERANCE);
    });
  }

  it('assigns a zero dw when no row is live', async () => {
    const lab = await nodeLab();
    const dw = scratch('dw', 16);
    const views = { dw, dqkv: scratch('dqkv', 4 * 32), raw: scratch('raw', 4 * 24), rstd: scratch('rstd', 4 * 3) };
    const sizes = { label: 'test', rows: 4, heads: 2, kvHeads: 1, headDim: 8 };
    const [got] = await lab.run([rmsNormHeadsBwdDw({ ...sizes, ...views })], new Map(), [dw], { extents: { rows: 0 } });
    expect([...got]).toEqual(new Array(16).fill(0));
  });

  it('has a reference whose gradients are those of finite differences', () => {
    const sizes = { heads: 2, kvHeads: 1, headDim: 5 };
    const [x, w, dy] = [randomArray(60, 1), randomArray(10, 2), randomArray(60, 3)];
    const { rstd } = rmsNormHeadsFwdRef(x, w, 3, sizes, EPS);
    const { dx, dw } = rmsNormHeadsBwdRef(dy, x, rstd, w, 3, sizes);
    const found = {
      dx: differenceError((at) => dot(rmsNormHeadsFwdRef(at, w, 3, sizes, EPS).y, dy), x, dx),
      dw: differenceError((at) => dot(rmsNormHeadsFwdRef(x, at, 3, sizes, EPS).y, dy), w, dw),
    };
    console.info('rms_norm_heads finite differences', found);
    for (const error of Object.values(found)) expect(error).toBeLessThan(1e-8);
  });

  it('refuses a view that is too small', () => {
    const views = { qkv: scratch('qkv', 128), raw: scratch('raw', 92), rstd: scratch('rstd', 12), w: scratch('w', 16) };
    const sizes = { label: 'test', rows: 4, heads: 2, kvHeads: 1, headDim: 8 };
    expect(() => rmsNormHeadsFwd({ ...sizes, ...views, eps: EPS })).toThrow(/rms_norm_heads_fwd, raw/);
  });
});
