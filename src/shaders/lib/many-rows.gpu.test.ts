// More rows than a dimension of a grid has workgroups (65,535): kernels of one workgroup a row go on in another one. Grids are
// looked at with so many rows; kernels run with theirs folded after seven, which needs no 65,536 workgroups to be seen.

import { beforeAll, expect, test } from 'vitest';
import { gridSize } from '../../dispatch/extents';
import { MAX_GROUPS } from '../../dispatch/kernel';
import { DEFAULT_LIMITS } from '../../dispatch/limits';
import { scratch, type Lab } from '../../gpu/lab';
import { foldedEarly } from '../../testing/folded';
import { nodeLab } from '../../testing/node-lab';
import { assignments, everySegment, METHODS, runConfig, runPlan } from '../../testing/plans';
import { SHAPES } from '../../testing/shapes';
import { planFaults } from '../../dispatch/validate';
import { attentionCached, cacheAppend } from '../attention/attention';
import { attentionRef } from '../attention/attention.ref';
import { randomArray, relativeError } from '../../testing/compare';
import { crossEntropy } from '../loss/cross_entropy';
import { crossEntropyRef } from '../loss/cross_entropy.ref';
import { embeddingBwdDw } from '../embedding/embedding';
import { layerNormBwdDx, layerNormFwd } from '../norm/layer_norm';
import { layerNormBwdRef, layerNormFwdRef } from '../norm/layer_norm.ref';
import { rmsNormBwdDx, rmsNormFwd } from '../norm/rms_norm';
import { rmsNormBwdRef, rmsNormFwdRef } from '../norm/rms_norm.ref';
import { Inputs, writtenFrom } from '../../testing/rowwise';

const ROWS = 60;
const LIVE = 53;
const MANY = 65_620;
const C = 4;
const TOLERANCE = 2e-6;
const live = { extent: 'rows' } as const;
const frame = { extents: { rows: LIVE, targets: LIVE, tokenGroups: LIVE } };

let lab: Lab;
beforeAll(async () => {
  lab = await nodeLab();
});

/** Runs kernels whose grids are folded early. */
const run: Lab['run'] = (dispatches, ...rest) => lab.run(dispatches.map(foldedEarly), ...rest);

const inputs = new Inputs();
const [xs, ws, bs, dys] = [randomArray(ROWS * C, 1), randomArray(C, 2), randomArray(C, 3), randomArray(ROWS * C, 4)];
const [x, w, b, dy] = [inputs.f32('x', xs), inputs.f32('w', ws), inputs.f32('b', bs), inputs.f32('dy', dys)];
const [y, stats, rstd, dx] = [scratch('y', ROWS * C), scratch('stats', 2 * ROWS), scratch('rstd', ROWS), scratch('dx', ROWS * C)];
const sizes = { label: 'test', rows: ROWS, width: C, live };

test('RMS norm', async () => {
  const [gotY, gotDx] = await run(
    [rmsNormFwd({ ...sizes, y, rstd, x, w, eps: 1e-3 }), rmsNormBwdDx({ ...sizes, dx, dy, x, rstd, w, accumulate: false })],
    inputs.data,
    [y, dx],
    frame,
  );
  const want = rmsNormFwdRef(xs, ws, LIVE, C, 1e-3);
  expect(relativeError(gotY.subarray(0, LIVE * C), want.y)).toBeLessThan(TOLERANCE);
  expect(relativeError(gotDx.subarray(0, LIVE * C), rmsNormBwdRef(dys, xs, want.rstd, ws, LIVE, C).dx)).toBeLessThan(TOLERANCE);
  expect([writtenFrom(gotY, LIVE * C), writtenFrom(gotDx, LIVE * C)]).toEqual([0, 0]);
});

test('layer norm', async () => {
  const [gotY, gotDx] = await run(
    [layerNormFwd({ ...sizes, y, stats, x, w, b, eps: 1e-3 }), layerNormBwdDx({ ...sizes, dx, dy, x, stats, w, accumulate: false })],
    inputs.data,
    [y, dx],
    frame,
  );
  const want = layerNormFwdRef(xs, ws, bs, LIVE, C, 1e-3);
  expect(relativeError(gotY.subarray(0, LIVE * C), want.y)).toBeLessThan(TOLERANCE);
  // Rows whose four values are nearly equal are divided by a small deviation: more digits are lost.
  expect(relativeError(gotDx.subarray(0, LIVE * C), layerNormBwdRef(dys, xs, want.mean, want.rstd, ws, LIVE, C).dx)).toBeLessThan(1e-5);
  expect([writtenFrom(gotY, LIVE * C), writtenFrom(gotDx, LIVE * C)]).toEqual([0, 0]);
});

test('cross entropy', async () => {
  const labels = Uint32Array.from({ length: ROWS }, (_, n) => n % C);
  const own = new Inputs();
  const [logits, losses] = [own.f32('logits', xs), scratch('losses', ROWS)];
  const dispatch = crossEntropy({
    label: 'test',
    logits,
    labels: own.u32('labels', labels),
    losses,
    rows: ROWS,
    vocab: C,
    live: { extent: 'targets' },
    train: true,
  });
  const [gotLosses, gotLogits] = await run([dispatch], own.data, [losses, logits], { ...frame, lossScale: 1 });
  const want = crossEntropyRef(xs, labels, LIVE, C, 1);
  expect(relativeError(gotLosses.subarray(0, LIVE), want.losses)).toBeLessThan(TOLERANCE);
  expect(relativeError(gotLogits.subarray(0, LIVE * C), want.dlogits)).toBeLessThan(TOLERANCE);
  expect(gotLogits.subarray(LIVE * C, ROWS * C)).toEqual(xs.subarray(LIVE * C));
});

test('gradient of an embedding with as many ids', async () => {
  const own = new Inputs();
  const count = (length: number): Uint32Array => Uint32Array.from({ length }, (_, i) => i);
  const dw = own.f32('dw', new Float32Array(ROWS * C));
  const dispatch = embeddingBwdDw({
    label: 'test',
    dw,
    dx: own.f32('dx', dys),
    order: own.u32('order', count(ROWS)),
    groupStart: own.u32('groupStart', count(ROWS + 1)),
    // Last id first.
    groupId: own.u32(
      'groupId',
      count(ROWS).map((i) => ROWS - 1 - i),
    ),
    rows: ROWS,
    groups: ROWS,
    width: C,
    extent: 'tokenGroups',
  });
  const [got] = await run([dispatch], own.data, [dw], frame);
  const wrong = got.findIndex((value, at) => {
    const row = ROWS - 1 - Math.floor(at / C);
    return value !== (row < LIVE ? dys[row * C + (at % C)] : 0);
  });
  expect(wrong).toBe(-1);
});

test('a cache that takes a long prompt at once', async () => {
  const own = new Inputs();
  const [heads, kvHeads, headDim] = [1, 1, 2];
  const width = (heads + 2 * kvHeads) * headDim;
  const values = randomArray(ROWS * width, 7);
  const qkv = own.f32('qkv', values);
  const [kCache, vCache, o] = [scratch('k', ROWS * headDim), scratch('v', ROWS * headDim), scratch('o', ROWS * heads * headDim)];
  const common = { label: 'test', kCache, vCache, rows: ROWS, heads, kvHeads, headDim };
  const [k, v] = await run([cacheAppend({ ...common, qkv, capacity: ROWS })], own.data, [kCache, vCache], frame);
  const wrong = [k, v].map((cache, part) =>
    cache.subarray(0, LIVE * headDim).findIndex((value, at) => {
      const [row, d] = [Math.floor(at / headDim), at % headDim];
      return value !== values[row * width + (heads + part) * headDim + d];
    }),
  );
  expect(wrong).toEqual([-1, -1]);
  expect([writtenFrom(k, LIVE * headDim), writtenFrom(v, LIVE * headDim)]).toEqual([0, 0]);

  // A cache of three keys, which all rows but the first two look back on: as if each row came right after them.
  const capacity = 3;
  const data = new Map([...own.data, [kCache.buffer, k], [vCache.buffer, v]]);
  const [got] = await run([attentionCached({ ...common, q: qkv, o, scale: 0.7, capacity })], data, [o], {
    ...frame,
    extents: { ...frame.extents, pairs: 3 * LIVE },
  });
  for (let row = 3; row < LIVE; row++) {
    // The first three rows with the keys, the last of them with this row's query.
    const tail = Float32Array.from(values.subarray(0, capacity * width));
    tail.set(values.subarray(row * width, row * width + heads * headDim), (capacity - 1) * width);
    const want = attentionRef({ qkv: tail, segStart: [0, 0, 0], rows: capacity, heads, kvHeads, headDim, scale: 0.7 }).o;
    const at = row * heads * headDim;
    expect(relativeError(got.subarray(at, at + heads * headDim), want.subarray(2 * heads * headDim)), `row ${row}`).toBeLessThan(5e-6);
  }
  expect(writtenFrom(got, LIVE * heads * headDim)).toBe(0);
});

test('grids of so many rows reach every one', () => {
  const of = (name: string, count: number) => scratch(name, count);
  const [values, rows] = [of('values', MANY * C), of('rows', MANY + 1)];
  const many = { label: 'test', rows: MANY, width: C, live };
  const cache = { label: 'test', qkv: of('qkv', MANY * 6), kCache: of('k', MANY * 2), vCache: of('v', MANY * 2), rows: MANY };
  const heads = { heads: 1, kvHeads: 1, headDim: 2, capacity: MANY };
  const norm = { ...many, x: values, w: of('w', C) };
  const stats = of('stats', 2 * MANY);
  const dispatches = [
    rmsNormFwd({ ...norm, rstd: rows, y: of('y', MANY * C), eps: 1 }),
    rmsNormBwdDx({ ...norm, rstd: rows, dx: of('dx', MANY * C), dy: of('dy', MANY * C), accumulate: false }),
    layerNormFwd({ ...norm, y: of('y', MANY * C), stats, b: of('b', C), eps: 1 }),
    layerNormBwdDx({ ...norm, dx: of('dx', MANY * C), dy: of('dy', MANY * C), stats, accumulate: false }),
    crossEntropy({
      label: 'test',
      logits: values,
      labels: rows,
      losses: of('losses', MANY),
      rows: MANY,
      vocab: C,
      live: { extent: 'targets' },
      train: true,
    }),
    embeddingBwdDw({
      label: 'test',
      dw: of('dw', MANY * C),
      dx: values,
      order: rows,
      groupStart: of('groupStart', MANY + 1),
      groupId: of('groupId', MANY),
      rows: MANY,
      groups: MANY,
      width: C,
      extent: 'tokenGroups',
    }),
    cacheAppend({ ...cache, ...heads }),
    attentionCached({ ...cache, ...heads, q: cache.qkv, o: of('o', MANY * 2), scale: 1 }),
  ];
  for (const { kernel, grid } of dispatches) {
    for (const count of [0, 1, MAX_GROUPS, MAX_GROUPS + 1, MANY]) {
      const extents = { rows: count, targets: count, tokenGroups: count, positionGroups: 0, pairs: 0 };
      const groups = grid.map((dim) => gridSize(dim, extents));
      const label = `${kernel.name}, ${count} rows`;
      expect(Math.max(...groups), label).toBeLessThanOrEqual(MAX_GROUPS);
      const [rows, folds] = (['most', 'per'] as const).map((key) =>
        grid.findIndex((dim) => typeof dim === 'object' && dim[key] === MAX_GROUPS),
      );
      expect(groups[rows] * groups[folds], label).toBeGreaterThanOrEqual(count);
    }
  }
});

test.each(['odd GPT-2', 'odd Llama, tied'] as const)('%s: a plan of more rows is sound where the buffers fit', (name) => {
  const limits = { ...DEFAULT_LIMITS, maxBufferSize: 2 ** 32, maxStorageBufferBindingSize: 2 ** 32 };
  for (const method of [METHODS[0], METHODS[2]]) {
    const shape = { ...SHAPES[name], vocab: 70_001 };
    const plan = runPlan(shape, runConfig(shape, method, { batchSize: 1200, seqLen: 60 }));
    expect(plan.input.rows).toBe(72_000);
    expect(planFaults(plan.allBuffers, everySegment(plan, assignments(plan).slice(0, 2)), plan.capacity, limits)).toEqual([]);
  }
});
