// RoPE against the float64 reference. Tolerance 1e-6 of the largest value: table entries are rounded to f32 (6e-8),
// then two products and a sum, each rounded once.

import { beforeAll, describe, expect, it } from 'vitest';
import { scratch, type Lab } from '../../gpu/lab';
import { nodeLab } from '../../testing/node-lab';
import { ropeFrequencies } from '../../model/rope';
import type { BufferSpec } from '../../dispatch/types';
import { randomArray, relativeError } from '../../testing/compare';
import { rope } from './rope';
import { ropeRef } from './rope.ref';
import { ropeTables } from './rope.tables';

const TOLERANCE = 1e-6;
const SEGMENTS = [5, 1, 20, 10, 1];
const SEG_START = SEGMENTS.flatMap((length, at) => Array<number>(length).fill(SEGMENTS.slice(0, at).reduce((a, b) => a + b, 0)));
const LIVE = SEG_START.length;
const SPARE = 3;
const THETA = 1e4;

interface Problem {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly segStart?: readonly number[];
  readonly past?: number;
  readonly positions: number;
}

/** Applies rope once for each entry of `inverse`, on rows LIVE + SPARE of which LIVE are live. */
async function gpuRope(lab: Lab, problem: Problem, qkv: Float32Array, inverse: readonly boolean[]): Promise<Float32Array> {
  const { heads, kvHeads, headDim, segStart, past, positions } = problem;
  const tables = ropeTables(ropeFrequencies({ theta: THETA, scaling: null }, headDim), positions);
  const rows = LIVE + SPARE;
  const contents = new Float32Array(rows * (heads + 2 * kvHeads) * headDim).fill(NaN);
  contents.set(qkv);
  const view = scratch('qkv', contents.length);
  const cos = scratch('cos', tables.cos.length);
  const sin = scratch('sin', tables.sin.length);
  const starts = segStart && scratch('segStart', rows);
  const data = new Map<BufferSpec, Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>>([
    [view.buffer, contents],
    [cos.buffer, tables.cos],
    [sin.buffer, tables.sin],
  ]);
  if (starts)
    data.set(
      starts.buffer,
      new Uint32Array(rows).map((_, n) => segStart[n] ?? 0),
    );
  const [out] = await lab.run(
    inverse.map((turnBack) =>
      rope({
        label: 'test',
        qkv: view,
        cos,
        sin,
        segStart: starts,
        rows,
        heads,
        kvHeads,
        headDim,
        tableRows: positions,
        inverse: turnBack,
      }),
    ),
    data,
    [view],
    { extents: { rows: LIVE }, past },
  );
  expect(out.subarray(qkv.length).every(Number.isNaN), 'rows past the live ones').toBe(true);
  return out.subarray(0, qkv.length);
}

describe('rope', () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await nodeLab();
  });

  it.each([
    [2, 2, 16],
    [3, 1, 6],
    [4, 2, 64],
    [2, 1, 80],
    [3, 1, 20],
  ])('H %i, K %i, D %i: forward and adjoint equal the reference; one after the other is the identity', async (heads, kvHeads, headDim) => {
    const problem: Problem = { heads, kvHeads, headDim, segStart: SEG_START, positions: 20 };
    const qkv = randomArray(LIVE * (heads + 2 * kvHeads) * headDim, headDim);
    const sizes = { qkv, segStart: SEG_START, rows: LIVE, heads, kvHeads, headDim, theta: THETA };
    const errors = {
      forward: relativeError(await gpuRope(lab, problem, qkv, [false]), ropeRef(sizes)),
      adjoint: relativeError(await gpuRope(lab, problem, qkv, [true]), ropeRef({ ...sizes, inverse: true })),
      identity: relativeError(await gpuRope(lab, problem, qkv, [false, true]), qkv),
    };
    console.info(
      `rope H${heads} K${kvHeads} D${headDim}: ${Object.entries(errors)
        .map(([key, e]) => `${key} ${e.toExponential(1)}`)
        .join(', ')}`,
    );
    for (const error of Object.values(errors)) expect(error).toBeLessThan(TOLERANCE);
  });

  it('generation: without segments positions go on from frame.past', async () => {
    const problem: Problem = { heads: 2, kvHeads: 1, headDim: 16, past: 11, positions: 64 };
    const qkv = randomArray(LIVE * 64, 3);
    const want = ropeRef({
      qkv,
      segStart: Array<number>(LIVE).fill(0),
      rows: LIVE,
      heads: 2,
      kvHeads: 1,
      headDim: 16,
      theta: THETA,
      past: 11,
    });
    const error = relativeError(await gpuRope(lab, problem, qkv, [false]), want);
    console.info(`rope with past 11: ${error.toExponential(1)}`);
    expect(error).toBeLessThan(TOLERANCE);
  });

  it('a position outside the table is NaN, not some other position', async () => {
    const qkv = randomArray(LIVE * 64, 3);
    const out = await gpuRope(lab, { heads: 2, kvHeads: 1, headDim: 16, segStart: SEG_START, positions: 12 }, qkv, [false]);
    // The third segment starts at row 6; its token 12 is row 18. v heads are never turned.
    expect(out.subarray(17 * 64, 17 * 64 + 48).some(Number.isNaN)).toBe(false);
    expect(out.subarray(18 * 64, 18 * 64 + 48).every(Number.isNaN)).toBe(true);
    expect(out.subarray(18 * 64 + 48, 19 * 64)).toEqual(qkv.subarray(18 * 64 + 48, 19 * 64));
  });
});

describe('ropeTables', () => {
  it('is cos and sin of position · frequency, row-major by position', () => {
    const { cos, sin } = ropeTables([1, 0.1], 3);
    expect(Array.from(cos)).toEqual([1, 1, Math.cos(1), Math.cos(0.1), Math.cos(2), Math.cos(0.2)].map(Math.fround));
    expect(Array.from(sin)).toEqual([0, 0, Math.sin(1), Math.sin(0.1), Math.sin(2), Math.sin(0.2)].map(Math.fround));
  });
});
