// Cases of the kernels that every device uses in one form: each against its float64 reference, at odd sizes.

import { adamw, adamwScalars } from '../shaders/adamw/adamw';
import { adamwRef } from '../shaders/adamw/adamw.ref';
import { geluBwdDx, geluFwd } from '../shaders/activation/gelu';
import { geluRef, geluSlopeRef } from '../shaders/activation/gelu.ref';
import { gegluBwdDx, gegluFwd } from '../shaders/activation/geglu';
import { gegluBwdRef, gegluFwdRef } from '../shaders/activation/geglu.ref';
import { swigluBwdDx, swigluFwd } from '../shaders/activation/swiglu';
import { swigluBwdRef, swigluFwdRef } from '../shaders/activation/swiglu.ref';
import { gatherRows, NO_ROW, scatterRows } from '../shaders/copy/rows';
import { gatherRowsRef, scatterRowsRef } from '../shaders/copy/rows.ref';
import { embeddingBwdDw, embeddingFwd } from '../shaders/embedding/embedding';
import { embeddingBwdRef, embeddingFwdRef } from '../shaders/embedding/embedding.ref';
import { crossEntropy, lossReduce } from '../shaders/loss/cross_entropy';
import { crossEntropyRef } from '../shaders/loss/cross_entropy.ref';
import { STATS_ELEMENTS } from '../shaders/loss/stats';
import { layerNormBwdDw, layerNormBwdDx, layerNormFwd } from '../shaders/norm/layer_norm';
import { layerNormBwdRef, layerNormFwdRef } from '../shaders/norm/layer_norm.ref';
import { rmsNormBwdDw, rmsNormBwdDx, rmsNormFwd } from '../shaders/norm/rms_norm';
import { rmsNormBwdRef, rmsNormFwdRef } from '../shaders/norm/rms_norm.ref';
import { rmsNormHeadsFwd } from '../shaders/norm/rms_norm_heads';
import { rmsNormHeadsFwdRef } from '../shaders/norm/rms_norm_heads.ref';
import { columnSum } from '../shaders/reduce/column_sum';
import { columnSumRef } from '../shaders/reduce/column_sum.ref';
import { gradNorm, gradSquares, squareGroups } from '../shaders/reduce/grad_norm';
import { rope } from '../shaders/rope/rope';
import { ropeRef } from '../shaders/rope/rope.ref';
import { ropeTables } from '../shaders/rope/rope.tables';
import { pack, unpack } from '../shaders/storage/storage';
import { dequantiseRef, quantiseRef } from '../shaders/storage/storage.ref';
import { elementBytes, type Quantised } from '../dispatch/types';
import { Inputs, type KernelCase, type Trial } from './trial';

const label = 'check';
const eps = 1e-5;
/** A few roundings of f32, and sums of some hundred terms. */
const ROUNDING = 2e-6;
/** The same with WGSL's exp, tanh, division or inverse square root, which may each be off by some units in the last place. */
const FUNCTIONS = 1e-5;

function rmsNorm(rows: number, width: number): Trial {
  const inputs = new Inputs('rms');
  const [x, w, dy] = [inputs.filled('x', rows * width, 3), inputs.filled('w', width), inputs.filled('dy', rows * width)];
  const [y, rstd, dx, dw] = [
    inputs.out('y', rows * width),
    inputs.out('rstd', rows),
    inputs.out('dx', rows * width),
    inputs.out('dw', width),
  ];
  const forward = rmsNormFwdRef(x.values, w.values, rows, width, eps);
  const backward = rmsNormBwdRef(dy.values, x.values, forward.rstd, w.values, rows, width);
  const common = { label, rows, width, x: x.view, rstd };
  return {
    dispatches: [
      rmsNormFwd({ ...common, y, w: w.view, eps }),
      rmsNormBwdDx({ ...common, dx, dy: dy.view, w: w.view, accumulate: false }),
      rmsNormBwdDw({ ...common, dw, dy: dy.view }),
    ],
    data: inputs.data,
    expected: [
      { view: y, want: forward.y },
      { view: dx, want: backward.dx },
      { view: dw, want: backward.dw },
    ],
  };
}

function layerNorm(rows: number, width: number): Trial {
  const inputs = new Inputs('layer');
  const [x, w, b, dy] = [
    inputs.filled('x', rows * width, 3),
    inputs.filled('w', width),
    inputs.filled('b', width),
    inputs.filled('dy', rows * width),
  ];
  const [y, stats] = [inputs.out('y', rows * width), inputs.out('stats', 2 * rows)];
  const [dx, dw, db] = [inputs.out('dx', rows * width), inputs.out('dw', width), inputs.out('db', width)];
  const forward = layerNormFwdRef(x.values, w.values, b.values, rows, width, eps);
  const backward = layerNormBwdRef(dy.values, x.values, forward.mean, forward.rstd, w.values, rows, width);
  const common = { label, rows, width, x: x.view, stats };
  return {
    dispatches: [
      layerNormFwd({ ...common, y, w: w.view, b: b.view, eps }),
      layerNormBwdDx({ ...common, dx, dy: dy.view, w: w.view, accumulate: false }),
      layerNormBwdDw({ ...common, dw, db, dy: dy.view }),
    ],
    data: inputs.data,
    expected: [
      { view: y, want: forward.y },
      { view: dx, want: backward.dx },
      { view: dw, want: backward.dw },
      { view: db, want: backward.db },
    ],
  };
}

function headNorm(): Trial {
  const [rows, sizes] = [33, { heads: 4, kvHeads: 2, headDim: 16 }];
  const width = (sizes.heads + 2 * sizes.kvHeads) * sizes.headDim;
  const normed = sizes.heads + sizes.kvHeads;
  const inputs = new Inputs('heads');
  const [qkv, w] = [inputs.filled('qkv', rows * width), inputs.filled('w', 2 * sizes.headDim)];
  const want = rmsNormHeadsFwdRef(qkv.values, w.values, rows, sizes, eps);
  const [raw, rstd] = [inputs.out('raw', rows * normed * sizes.headDim), inputs.out('rstd', rows * normed)];
  return {
    dispatches: [rmsNormHeadsFwd({ label, rows, ...sizes, qkv: qkv.view, raw, rstd, w: w.view, eps })],
    data: inputs.data,
    expected: [
      { view: qkv.view, want: want.y },
      { view: rstd, want: want.rstd },
    ],
    frame: { extents: { rows } },
  };
}

function rotation(): Trial {
  const [rows, sizes, theta] = [37, { heads: 3, kvHeads: 1, headDim: 10 }, 10_000];
  const segStart = Array.from({ length: rows }, (_, n) => (n < 20 ? 0 : 20));
  const inputs = new Inputs('rope');
  const qkv = inputs.filled('qkv', rows * 5 * sizes.headDim);
  const frequencies = Array.from({ length: sizes.headDim / 2 }, (_, d) => theta ** ((-2 * d) / sizes.headDim));
  const tables = ropeTables(frequencies, rows);
  const of = { label, rows, ...sizes, tableRows: rows, inverse: false, segStart: inputs.indices('segStart', segStart) };
  return {
    dispatches: [rope({ ...of, qkv: qkv.view, cos: inputs.given('cos', tables.cos), sin: inputs.given('sin', tables.sin) })],
    data: inputs.data,
    expected: [{ view: qkv.view, want: ropeRef({ qkv: qkv.values, segStart, rows, ...sizes, theta }) }],
    frame: { extents: { rows } },
  };
}

/** A gated feed-forward's activation, and its gradient. */
function gated(kind: 'swiglu' | 'geglu'): Trial {
  const [rows, ff] = [21, 47];
  const [forward, backward] = kind === 'swiglu' ? [swigluFwd, swigluBwdDx] : [gegluFwd, gegluBwdDx];
  const [wantH, wantDgu] = kind === 'swiglu' ? [swigluFwdRef, swigluBwdRef] : [gegluFwdRef, gegluBwdRef];
  const inputs = new Inputs(kind);
  const [gu, dh] = [inputs.filled('gu', rows * 2 * ff, 3), inputs.filled('dh', rows * ff)];
  const [h, dgu] = [inputs.out('h', rows * ff), inputs.out('dgu', rows * 2 * ff)];
  return {
    dispatches: [forward({ label, h, gu: gu.view, rows, ff }), backward({ label, dgu, dh: dh.view, gu: gu.view, rows, ff })],
    data: inputs.data,
    expected: [
      { view: h, want: wantH(gu.values, rows, ff) },
      { view: dgu, want: wantDgu(dh.values, gu.values, rows, ff) },
    ],
  };
}

function gelu(kind: 'tanh' | 'erf'): Trial {
  const [rows, width] = [13, 52];
  const inputs = new Inputs(`gelu ${kind}`);
  const [x, dy] = [inputs.filled('x', rows * width, 4), inputs.filled('dy', rows * width)];
  const [y, dx] = [inputs.out('y', rows * width), inputs.out('dx', rows * width)];
  return {
    dispatches: [geluFwd({ label, y, x: x.view, kind, rows, width }), geluBwdDx({ label, dx, dy: dy.view, x: x.view, kind, rows, width })],
    data: inputs.data,
    expected: [
      { view: y, want: Float64Array.from(x.values, (value) => geluRef(value, kind)) },
      { view: dx, want: Float64Array.from(x.values, (value, i) => dy.values[i] * geluSlopeRef(value, kind)) },
    ],
  };
}

/** Loss and gradient of rows of logits, of a vocabulary in whole quads or not. */
function loss(vocab: number): Trial {
  const rows = 9;
  const inputs = new Inputs(`loss ${vocab}`);
  const logits = inputs.filled('logits', rows * vocab, 5);
  const labels = Array.from({ length: rows }, (_, r) => (r * 131) % vocab);
  const [losses, stats] = [inputs.out('losses', rows), inputs.given('stats', new Float32Array(STATS_ELEMENTS))];
  const want = crossEntropyRef(logits.values, labels, rows, vocab, 1 / rows);
  const mean = want.losses.reduce((sum, value) => sum + value / rows, 0);
  return {
    dispatches: [
      crossEntropy({ label, logits: logits.view, labels: inputs.indices('labels', labels), losses, rows, vocab, train: true }),
      lossReduce({ label, stats, losses, rows }),
    ],
    data: inputs.data,
    expected: [
      { view: losses, want: want.losses },
      { view: logits.view, want: want.dlogits },
      { view: { ...stats, bytes: 4 }, want: [mean] },
    ],
    frame: { lossScale: 1 / rows },
  };
}

function embedding(): Trial {
  const [rows, vocab, width] = [17, 29, 28];
  const inputs = new Inputs('embedding');
  const tokens = Array.from({ length: rows }, (_, n) => (n * n) % 11);
  const [table, dx] = [inputs.filled('table', vocab * width), inputs.filled('dx', rows * width)];
  const x = inputs.out('x', rows * width);
  const dw = inputs.given('dw', new Float32Array(vocab * width));
  const ids = [...new Set(tokens)].sort((a, b) => a - b);
  const groups = ids.map((id) => tokens.flatMap((token, n) => (token === id ? [n] : [])));
  const starts = groups.reduce<number[]>((found, group) => [...found, found[found.length - 1] + group.length], [0]);
  return {
    dispatches: [
      embeddingFwd({ label, x, tokens: inputs.indices('tokens', tokens), table: table.view, rows, width }),
      embeddingBwdDw({
        label,
        dw,
        dx: dx.view,
        order: inputs.indices('order', groups.flat()),
        groupStart: inputs.indices('groupStart', starts),
        groupId: inputs.indices('groupId', ids),
        rows,
        groups: ids.length,
        width,
        extent: 'tokenGroups',
      }),
    ],
    data: inputs.data,
    expected: [
      { view: x, want: embeddingFwdRef(tokens, table.values, rows, width) },
      { view: dw, want: embeddingBwdRef(new Float64Array(vocab * width), dx.values, tokens, rows, width) },
    ],
    frame: { extents: { rows, tokenGroups: ids.length } },
  };
}

function rowsMoved(): Trial {
  const [width, all, index] = [20, 12, [7, 0, 11, 3]];
  const inputs = new Inputs('rows');
  const x = inputs.filled('x', all * width);
  const [picked, put] = [inputs.out('picked', index.length * width), inputs.out('put', all * width)];
  const inverse = Array.from({ length: all }, (_, n) => (index.includes(n) ? index.indexOf(n) : NO_ROW));
  const gathered = gatherRowsRef(x.values, index, width);
  return {
    dispatches: [
      gatherRows({ label, y: picked, x: x.view, index: inputs.indices('index', index), rows: index.length, width }),
      scatterRows({ label, y: put, x: picked, inverse: inputs.indices('inverse', inverse), rows: all, width }),
    ],
    data: inputs.data,
    expected: [
      { view: picked, want: gathered },
      { view: put, want: scatterRowsRef(gathered, index, all, width) },
    ],
  };
}

function sums(): Trial {
  const [rows, width] = [83, 45];
  const inputs = new Inputs('sums');
  const dy = inputs.filled('dy', rows * width);
  const db = inputs.out('db', width);
  return {
    dispatches: [columnSum({ label, db, dy: dy.view, rows, width })],
    data: inputs.data,
    expected: [{ view: db, want: columnSumRef(dy.values, rows, width, width, 0) }],
  };
}

/** Norm and clip factor of a gradient, then AdamW with it. */
function optimizer(): Trial {
  const [elements, decayElements, maxNorm, step] = [9003, 8000, 1, 3];
  const settings = { lr: 1e-3, weightDecay: 0.1, beta1: 0.9, beta2: 0.95, eps: 1e-8, decayElements };
  const inputs = new Inputs('adamw');
  const [w, m, g] = [inputs.filled('w', elements), inputs.filled('m', elements, 0.1), inputs.filled('g', elements)];
  const v = inputs.random(elements, 0.1).map((x) => x * x + 1e-4);
  const partials = inputs.out('partials', squareGroups(elements));
  const stats = inputs.given('stats', new Float32Array(STATS_ELEMENTS));
  const norm = Math.sqrt(g.values.reduce((sum, x) => sum + x * x, 0));
  const clip = Math.min(1, maxNorm / (norm + 1e-6));
  const state = { w: [...w.values], m: [...m.values], v: [...v] };
  adamwRef(state, g.values, clip, step, settings);
  const scalars = inputs.given('scalars', adamwScalars(settings.lr, settings.weightDecay, settings.beta1, settings.beta2, step));
  const moments = { m: m.view, v: inputs.given('v', v) };
  return {
    dispatches: [
      gradSquares({ label, partials, x: g.view, elements, at: 0 }),
      gradNorm({ label, stats, partials, count: squareGroups(elements), maxNorm }),
      adamw({ label, w: w.view, ...moments, g: g.view, scalars, stats, slot: 0, elements, ...settings }),
    ],
    data: inputs.data,
    expected: [
      { view: { ...stats, offset: 4, bytes: 8 }, want: [norm, clip] },
      { view: w.view, want: state.w },
      { view: moments.m, want: state.m },
      { view: moments.v, want: state.v },
    ],
  };
}

/** Values to codes and back. A value that lies in the middle between two codes may become either. */
function quantised(stored: Quantised): Trial {
  const elements = 64 * 50;
  const inputs = new Inputs(stored);
  const x = inputs.filled('x', elements);
  const whole = inputs.out('codes', elements);
  const codes = { ...whole, bytes: elements * elementBytes({ stored }), stored };
  const back = inputs.out('back', elements);
  return {
    dispatches: [pack({ label, y: codes, x: x.view, elements }), unpack({ label, y: back, x: codes, elements })],
    data: inputs.data,
    expected: [{ view: back, want: dequantiseRef(quantiseRef(x.values, stored)) }],
  };
}

const all = (name: string, bound: number, make: () => Trial): KernelCase => ({ name, group: 'all', bound, make });

/** One code of 8 bits is 1/127 of the largest value of its group, one of 4 bits up to 1/7. */
const CODE = { int8: 1.1 / 127, int4: 1.1 / 7 } as const;

export const COMMON_CASES: readonly KernelCase[] = [
  all('RMS norm and its gradients, 37 × 100', FUNCTIONS, () => rmsNorm(37, 100)),
  all('RMS norm and its gradients, 20 × 576', FUNCTIONS, () => rmsNorm(20, 576)),
  all('layer norm and its gradients, 37 × 99', FUNCTIONS, () => layerNorm(37, 99)),
  all('layer norm and its gradients, 20 × 768', FUNCTIONS, () => layerNorm(20, 768)),
  all('RMS norm of heads', FUNCTIONS, headNorm),
  all('rotary positions', ROUNDING, rotation),
  all('SwiGLU and its gradient', FUNCTIONS, () => gated('swiglu')),
  all('GeGLU and its gradient', FUNCTIONS, () => gated('geglu')),
  all('GELU (tanh) and its gradient', FUNCTIONS, () => gelu('tanh')),
  all('GELU (erf) and its gradient', FUNCTIONS, () => gelu('erf')),
  all('cross-entropy and its gradient, 301 tokens', FUNCTIONS, () => loss(301)),
  all('cross-entropy and its gradient, 9,000 tokens', FUNCTIONS, () => loss(9000)),
  all('embedding and its gradient', ROUNDING, embedding),
  all('rows picked and put back', 0, rowsMoved),
  all('sums of columns', ROUNDING, sums),
  all('gradient norm, clipping and AdamW', FUNCTIONS, optimizer),
  all('8-bit weights and back', CODE.int8, () => quantised('int8')),
  all('4-bit weights and back', CODE.int4, () => quantised('int4')),
];
