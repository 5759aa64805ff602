// Attention kernels of both families against the float64 reference.
//
// Tolerances, relative to the largest value of the output. A score is a sum of D products, a row of o a sum of T
// weighted values: rounding errors of 6e-8 each that mostly cancel, so some 1e-7 are expected, plus those of exp
// (WGSL allows 3 + 2|x| units in the last place, 1e-6 for the |x| ≤ 8 of these inputs). Forward 5e-6. The backward
// takes differences dP − delta of numbers of like size and sums over heads and queries as well: 2e-5.

import { beforeAll, describe, expect, it } from 'vitest';
import { scratch, type Lab } from '../../gpu/lab';
import { nodeLab } from '../../testing/node-lab';
import type { BufferSpec, View } from '../../dispatch/types';
import { attentionBwdDelta, attentionBwdDkv, attentionBwdDq, attentionBwdSum, attentionFwd, type AttentionFamily } from './attention';
import { attentionBwdRef, attentionRef } from './attention.ref';
import { randomArray, relativeError } from '../../testing/compare';
import { SLOW } from '../../testing/slow';

const FORWARD = 5e-6;
const BACKWARD = 2e-5;

interface Problem {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly segments: readonly number[];
  /** Rows of every buffer past the live ones; filled with NaN. */
  readonly spare?: number;
  /** Only so many last keys count. */
  readonly window?: number;
  /** Tiles: dK and dV of a kv head in one sum, not of every query head with a second sum. */
  readonly byGroup?: boolean;
}

interface Inputs {
  readonly qkv: Float32Array<ArrayBuffer>;
  readonly dout: Float32Array<ArrayBuffer>;
}

/** segStart and segEnd of consecutive segments, or of the window inside them. */
function bounds(segments: readonly number[], window = Infinity): { segStart: number[]; segEnd: number[] } {
  const segStart: number[] = [];
  const segEnd: number[] = [];
  for (const length of segments) {
    const start = segStart.length;
    for (let i = 0; i < length; i++) {
      segStart.push(Math.max(start, start + i + 1 - window));
      segEnd.push(Math.min(start + length, start + i + window));
    }
  }
  return { segStart, segEnd };
}

const total = (segments: readonly number[]): number => segments.reduce((a, b) => a + b, 0);

const inputs = ({ heads, kvHeads, headDim, segments }: Problem, seed: number): Inputs => ({
  qkv: randomArray(total(segments) * (heads + 2 * kvHeads) * headDim, seed).map((x) => 1.7 * x),
  dout: randomArray(total(segments) * heads * headDim, seed + 1),
});

/** `live` followed by NaN up to `count` elements. */
function padded(live: Float32Array, count: number): Float32Array<ArrayBuffer> {
  const all = new Float32Array(count).fill(NaN);
  all.set(live);
  return all;
}

interface Outputs {
  readonly o: Float32Array;
  readonly lse: Float32Array;
  readonly dqkv: Float32Array;
}

/** Forward and backward on the GPU: the live rows of the results. Throws when a spare row was touched. */
async function gpuAttention(lab: Lab, problem: Problem, { qkv, dout }: Inputs, family: AttentionFamily): Promise<Outputs> {
  const { heads, kvHeads, headDim, segments, spare = 0 } = problem;
  const live = total(segments);
  const rows = live + spare;
  const width = (heads + 2 * kvHeads) * headDim;
  const data = new Map<BufferSpec, Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>>();
  const given = (name: string, contents: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>): View => {
    const view = scratch(name, contents.length);
    data.set(view.buffer, contents);
    return view;
  };
  const { segStart, segEnd } = bounds([...segments, ...Array<number>(spare).fill(1)], problem.window);
  const common = { label: 'test', rows, heads, kvHeads, headDim, scale: 1 / Math.sqrt(headDim), family };
  const v = {
    qkv: given('qkv', padded(qkv, rows * width)),
    dout: given('dout', padded(dout, rows * heads * headDim)),
    segStart: given('segStart', new Uint32Array(segStart)),
    segEnd: given('segEnd', new Uint32Array(segEnd)),
    o: scratch('o', rows * heads * headDim),
    lse: scratch('lse', rows * heads),
    delta: scratch('delta', rows * heads),
    dqkv: scratch('dqkv', rows * width),
  };
  const byHead = family === 'tiles' && kvHeads < heads && !problem.byGroup ? scratch('byHead', 2 * rows * heads * headDim) : undefined;
  const [o, lse, delta, dqkv] = await lab.run(
    [
      attentionFwd({ ...common, ...v }),
      ...(family === 'software' ? [attentionBwdDelta({ label: 'test', delta: v.delta, dout: v.dout, o: v.o, rows, heads, headDim })] : []),
      attentionBwdDq({ ...common, ...v }),
      attentionBwdDkv({ ...common, ...v, byHead }),
      ...(byHead ? [attentionBwdSum({ ...common, dqkv: v.dqkv, byHead })] : []),
    ],
    data,
    [v.o, v.lse, v.delta, v.dqkv],
    { extents: { rows: live, pairs: segments.reduce((sum, t) => sum + (t * (t + 1)) / 2, 0) } },
  );
  for (const [name, values, per] of [
    ['o', o, heads * headDim],
    ['lse', lse, heads],
    ['delta', delta, heads],
    ['dqkv', dqkv, width],
  ] as const) {
    const touched = values.subarray(live * per).findIndex((x) => !Number.isNaN(x));
    if (touched >= 0) throw new Error(`${name}: a value was written past the ${live} live rows`);
  }
  return { o: o.subarray(0, live * heads * headDim), lse: lse.subarray(0, live * heads), dqkv: dqkv.subarray(0, live * width) };
}

function reference(problem: Problem, { qkv, dout }: Inputs): { o: Float64Array; lse: Float64Array; dqkv: Float64Array } {
  const { heads, kvHeads, headDim, segments, window } = problem;
  const args = {
    qkv,
    segStart: bounds(segments, window).segStart,
    rows: total(segments),
    heads,
    kvHeads,
    headDim,
    scale: 1 / Math.sqrt(headDim),
  };
  return { ...attentionRef(args), dqkv: attentionBwdRef({ ...args, dout }) };
}

/** The q, k and v columns of dqkv, so that an error in a small one is not hidden by a large one. */
function split(problem: Problem, dqkv: ArrayLike<number>): { q: number[]; k: number[]; v: number[] } {
  const { heads, kvHeads, headDim } = problem;
  const width = (heads + 2 * kvHeads) * headDim;
  const parts = { q: [] as number[], k: [] as number[], v: [] as number[] };
  for (let i = 0; i < dqkv.length; i++) {
    const head = Math.floor((i % width) / headDim);
    parts[head < heads ? 'q' : head < heads + kvHeads ? 'k' : 'v'].push(dqkv[i]);
  }
  return parts;
}

function check(name: string, problem: Problem, got: Outputs, want: ReturnType<typeof reference>): void {
  const gotParts = split(problem, got.dqkv);
  const wantParts = split(problem, want.dqkv);
  const errors = {
    o: relativeError(got.o, want.o),
    lse: relativeError(got.lse, want.lse),
    dq: relativeError(gotParts.q, wantParts.q),
    dk: relativeError(gotParts.k, wantParts.k),
    dv: relativeError(gotParts.v, wantParts.v),
  };
  console.info(
    `attention ${name}: ${Object.entries(errors)
      .map(([key, e]) => `${key} ${e.toExponential(1)}`)
      .join(', ')}`,
  );
  for (const key of ['o', 'lse'] as const) expect(errors[key], key).toBeLessThan(FORWARD);
  for (const key of ['dq', 'dk', 'dv'] as const) expect(errors[key], key).toBeLessThan(BACKWARD);
}

const FAMILIES: readonly AttentionFamily[] = ['software', 'tiles'];
/** 37 tokens: longer than the 32 others of a tile, two segments of one token, one of them last. */
const MIXED = [5, 1, 20, 10, 1];
/** One segment of two tiles and three times 32 others: the running maximum and the sums go on from tile to tile. */
const LONG = [71];

describe('the attention reference', () => {
  it('has the gradient that finite differences give', () => {
    const problem: Problem = { heads: 4, kvHeads: 2, headDim: 6, segments: [4, 1, 2] };
    const { qkv, dout } = inputs(problem, 5);
    const { heads, kvHeads, headDim, segments } = problem;
    const args = { segStart: bounds(segments).segStart, rows: total(segments), heads, kvHeads, headDim, scale: 0.4 };
    const objective = (at: number, shift: number): number => {
      const moved = Float64Array.from(qkv);
      moved[at] += shift;
      return attentionRef({ ...args, qkv: moved }).o.reduce((sum, x, i) => sum + x * dout[i], 0);
    };
    const h = 1e-5;
    const numeric = Array.from(qkv, (_, at) => (objective(at, h) - objective(at, -h)) / (2 * h));
    const error = relativeError(attentionBwdRef({ ...args, qkv, dout }), numeric);
    console.info(`attention reference against finite differences: ${error.toExponential(1)}`);
    // Central differences in float64: h² = 1e-10 of truncation, 1e-16 / h = 1e-11 of rounding.
    expect(error).toBeLessThan(1e-8);
  });
});

/** Compiling a 'tiles' kernel takes a software adapter seconds, so that family gets fewer head dims. LISA_SLOW=1 adds some. */
const COMPILING_MS = 300_000;
/** Width of a head where it does not matter: that of the tiny models, whose kernels other tests compile anyway. */
const D = 8;
const SIZES: Record<AttentionFamily, readonly (readonly [number, number, number])[]> = {
  software: [
    [2, 2, D],
    [3, 1, D],
    [4, 2, D],
    [2, 2, 6],
    [3, 1, 6],
    [4, 2, 6],
    [2, 2, 64],
    [3, 1, 64],
    [4, 2, 64],
    [2, 1, 80],
    [2, 1, 128],
    ...(SLOW
      ? ([
          [2, 1, 32],
          [2, 1, 96],
        ] as const)
      : []),
  ],
  tiles: [
    [2, 2, D],
    [3, 1, D],
    [4, 2, D],
    [2, 2, 64],
    [3, 1, 64],
    [4, 2, 64],
    ...(SLOW
      ? ([
          [2, 2, 6],
          [3, 1, 6],
          [2, 1, 80],
        ] as const)
      : []),
  ],
};

describe.each(FAMILIES)('attention, family %s', { timeout: COMPILING_MS }, (family) => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await nodeLab();
  });

  it.each(SIZES[family])(
    'H %i, K %i, D %i: forward and backward over mixed segments, spare rows untouched',
    async (heads, kvHeads, headDim) => {
      const problem: Problem = { heads, kvHeads, headDim, segments: MIXED, spare: 7 };
      const given = inputs(problem, heads * 1000 + headDim);
      check(
        `${family} H${heads} K${kvHeads} D${headDim}`,
        problem,
        await gpuAttention(lab, problem, given, family),
        reference(problem, given),
      );
    },
  );

  it('one segment of 71 tokens, H 4, K 2', async () => {
    const problem: Problem = { heads: 4, kvHeads: 2, headDim: D, segments: LONG, spare: 1 };
    const given = inputs(problem, 71);
    check(`${family} N71 H4 K2 D${D}`, problem, await gpuAttention(lab, problem, given, family), reference(problem, given));
  });

  it('a window of 11 tokens in segments of 71, 5 and 40, H 4, K 2', async () => {
    const problem: Problem = { heads: 4, kvHeads: 2, headDim: D, segments: [71, 5, 40], spare: 1, window: 11 };
    const given = inputs(problem, 73);
    check(`${family} window 11`, problem, await gpuAttention(lab, problem, given, family), reference(problem, given));
  });

  it('a real shape: four segments of 64, H 4, K 2, D 64', async () => {
    const problem: Problem = { heads: 4, kvHeads: 2, headDim: 64, segments: [64, 64, 64, 64] };
    const given = inputs(problem, 77);
    check(`${family} N256 H4 K2 D64`, problem, await gpuAttention(lab, problem, given, family), reference(problem, given));
  });

  it('dK and dV of a kv head in one sum, in pieces of heads and rows', async () => {
    const problem: Problem = { heads: 4, kvHeads: 2, headDim: D, segments: [60, 71], spare: 1, byGroup: true };
    const given = inputs(problem, 72);
    check(`${family} by group`, problem, await gpuAttention(lab, problem, given, family), reference(problem, given));
  });

  it('scores up to about 90: the maximum is taken out before exp', async () => {
    const problem: Problem = { heads: 2, kvHeads: 1, headDim: D, segments: [40] };
    const plain = inputs(problem, 9);
    // q and k 7 times larger; v as it was.
    const qkv = plain.qkv.map((x, i) => (i % (4 * D) < 3 * D ? 7 * x : x));
    const want = reference(problem, { ...plain, qkv });
    const got = await gpuAttention(lab, problem, { ...plain, qkv }, family);
    const errors = [relativeError(got.o, want.o), relativeError(got.lse, want.lse), relativeError(got.dqkv, want.dqkv)];
    console.info(
      `attention ${family} large scores (lse up to ${Math.max(...want.lse).toFixed(0)}): ${errors.map((e) => e.toExponential(1)).join(', ')}`,
    );
    // A score of 100 carries 100 · 6e-8 of rounding from its own sum, and exp turns that into a relative error.
    expect(Math.max(...want.lse)).toBeGreaterThan(50);
    expect(Math.max(...errors)).toBeLessThan(1e-4);
  });

  it('nothing of one segment reaches another, bit for bit', async () => {
    const problem: Problem = { heads: 4, kvHeads: 2, headDim: D, segments: MIXED };
    const before = inputs(problem, 21);
    const other = inputs(problem, 22);
    // New contents for the third segment (rows 6 … 25).
    const width = 8 * D;
    const outWidth = 4 * D;
    const after = { qkv: before.qkv.slice(), dout: before.dout.slice() };
    after.qkv.set(other.qkv.subarray(6 * width, 26 * width), 6 * width);
    after.dout.set(other.dout.subarray(6 * outWidth, 26 * outWidth), 6 * outWidth);
    const a = await gpuAttention(lab, problem, before, family);
    const b = await gpuAttention(lab, problem, after, family);
    for (const [x, y, per] of [
      [a.o, b.o, outWidth],
      [a.lse, b.lse, 4],
      [a.dqkv, b.dqkv, width],
    ] as const) {
      expect(y.subarray(0, 6 * per)).toEqual(x.subarray(0, 6 * per));
      expect(y.subarray(26 * per)).toEqual(x.subarray(26 * per));
      expect(y.subarray(6 * per, 26 * per)).not.toEqual(x.subarray(6 * per, 26 * per));
    }
  });

  it('a segment of one token passes its value through and has no gradient in q and k', async () => {
    const problem: Problem = { heads: 2, kvHeads: 1, headDim: D, segments: [1, 1, 1] };
    const given = inputs(problem, 31);
    const got = await gpuAttention(lab, problem, given, family);
    for (let n = 0; n < 3; n++) {
      const value = given.qkv.subarray((n * 4 + 3) * D, (n * 4 + 4) * D);
      for (let h = 0; h < 2; h++) expect(got.o.subarray((n * 2 + h) * D, (n * 2 + h + 1) * D)).toEqual(value);
      // dP − delta is zero up to the order of its two sums.
      for (const x of got.dqkv.subarray(n * 4 * D, (n * 4 + 3) * D)) expect(Math.abs(x)).toBeLessThan(1e-5);
    }
  });

  it('the same bits every time', async () => {
    const problem: Problem = { heads: 3, kvHeads: 1, headDim: D, segments: MIXED };
    const given = inputs(problem, 41);
    expect(await gpuAttention(lab, problem, given, family)).toEqual(await gpuAttention(lab, problem, given, family));
  });
});

describe('what the attention wrappers refuse', () => {
  const view = scratch('small', 16);
  const base = { label: 'x', rows: 4, heads: 4, kvHeads: 2, headDim: 16, scale: 1, o: view, lse: view, qkv: view, segStart: view };
  it('names kernel and binding of a buffer that is too small', () => {
    expect(() => attentionFwd(base)).toThrow(/attention_fwd, o: expected ≥ 1024 bytes, got 64 bytes of small/);
  });
  it('wants the kv heads to divide the heads', () => {
    expect(() => attentionFwd({ ...base, kvHeads: 3 })).toThrow(/a multiple of the 3 kv heads/);
  });
});
