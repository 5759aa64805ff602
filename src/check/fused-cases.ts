// Cases of products with a norm before them or an epilogue after them: norm, product and epilogue in float64, one after the other. Rows past a tile, columns
// past a tile, and a cut between two pieces by columns.

import type { Half } from '../dispatch/types';
import { bf16ToF32, narrow } from '../base/half';
import { attentionBwdSum } from '../shaders/attention/attention';
import { geluRef, geluSlopeRef } from '../shaders/activation/gelu.ref';
import { swigluBwdRef, swigluFwdRef } from '../shaders/activation/swiglu.ref';
import type { Epilogue } from '../shaders/matmul/epilogue';
import { fusedMatmul, rowSumGroups, type FusedArgs, type NormBefore } from '../shaders/matmul/fused';
import { layerNormFwdRef } from '../shaders/norm/layer_norm.ref';
import { rmsNormBwdRef, rmsNormFwdRef } from '../shaders/norm/rms_norm.ref';
import { matmulReference } from '../shaders/matmul/matmul.ref';
import type { MatmulTile } from '../shaders/matmul/tile';
import { ropeRef } from '../shaders/rope/rope.ref';
import { ropeTables } from '../shaders/rope/rope.tables';
import { Inputs, type KernelCase, type Trial } from './trial';

/** Rows of the capacity, and of them live ones. */
const [ROWS, LIVE] = [75, 70];
const K = 52;

type Numbers = Float32Array | Float64Array;

interface Product {
  readonly layout: 'nt' | 'nn';
  readonly n: number;
  readonly tile: MatmulTile;
  readonly bias: boolean;
  readonly stored?: Half;
  readonly norm?: NormBefore['kind'];
}

const EPS = 1e-5;

/** A norm of x [ROWS, K], its output, and what it leaves of the live rows. */
function normOf(kind: NormBefore['kind'], inputs: Inputs, x: Float32Array): { args: NormBefore; want: Numbers; scales: Trial['expected'] } {
  const gain = inputs.filled('gain', K);
  const common = { w: gain.view, eps: EPS };
  if (kind === 'rms') {
    const { y, rstd } = rmsNormFwdRef(x, gain.values, ROWS, K, EPS);
    const view = inputs.out('rstd', ROWS);
    return { args: { ...common, kind, rstd: view }, want: y, scales: [{ view, want: rstd.subarray(0, LIVE) }] };
  }
  const b = inputs.filled('shift', K);
  const { y, mean, rstd } = layerNormFwdRef(x, gain.values, b.values, ROWS, K, EPS);
  const view = inputs.out('stats', 2 * ROWS);
  const want = Float64Array.from({ length: 2 * LIVE }, (_, at) => (at % 2 === 0 ? mean : rstd)[Math.floor(at / 2)]);
  return { args: { ...common, kind, b: b.view, stats: view }, want: y, scales: [{ view, want }] };
}

/** The product's inputs, and its values with the bias, of the live rows. */
function start(seed: string, { layout, n, bias, stored, norm }: Product) {
  const inputs = new Inputs(seed);
  const a = inputs.filled('a', ROWS * K, norm ? 3 : 1);
  const before = norm && normOf(norm, inputs, a.values);
  const wide = inputs.random(n * K);
  const codes = stored && narrow(wide, stored);
  const values = codes ? bf16ToF32(codes) : wide;
  const b = codes ? { ...inputs.indices('b', [...new Uint32Array(codes.buffer)]), stored } : inputs.given('b', wide);
  const of = bias ? inputs.filled('bias', n) : undefined;
  const shape = {
    layout,
    m: LIVE,
    n,
    k: K,
    lda: K,
    ldb: layout === 'nt' ? K : n,
    ldy: n,
    a0: 0,
    b0: 0,
    y0: 0,
    alpha: 1,
    accumulate: false,
  };
  const sums = matmulReference(shape, new Float32Array(LIVE * n), before?.want ?? a.values, values, of?.values);
  return {
    inputs,
    args: { a: a.view, b, ...(of && { bias: of.view }), ...(before && { norm: before.args }) },
    sums,
    scales: before?.scales ?? [],
  };
}

function trial(
  { layout, n, tile }: Product,
  { inputs, args, scales }: ReturnType<typeof start>,
  y: FusedArgs['y'],
  epilogue: Epilogue,
  expected: Trial['expected'],
): Trial {
  const common = { label: 'check', layout, m: ROWS, n, k: K, y, ...args, tile, live: { extent: 'rows' }, epilogue } as const;
  return {
    dispatches: [fusedMatmul({ ...common, columns: [0, 64] }), fusedMatmul({ ...common, columns: [64, n] })],
    data: inputs.data,
    expected: [...expected, ...scales].map(({ view, want }) => ({ view: { ...view, bytes: want.length * 4 }, want })),
    frame: { extents: { rows: LIVE } },
  };
}

function gelu(product: Product, form: 'tanh' | 'erf'): Trial {
  const made = start('fused gelu', product);
  const [y, act] = [made.inputs.out('y', ROWS * product.n), made.inputs.out('act', ROWS * product.n)];
  return trial(product, made, y, { kind: 'gelu', form, act, keep: true }, [
    { view: y, want: made.sums },
    { view: act, want: made.sums.map((value) => geluRef(value, form)) },
  ]);
}

function geluBackward(product: Product): Trial {
  const made = start('fused gelu backward', product);
  const x = made.inputs.filled('x', ROWS * product.n, 4);
  const y = made.inputs.out('y', ROWS * product.n);
  const want = made.sums.map((value, at) => value * geluSlopeRef(x.values[at], 'tanh'));
  return trial(product, made, y, { kind: 'gelu_bwd', form: 'tanh', x: x.view }, [{ view: y, want }]);
}

function swiglu(product: Product, keep: boolean): Trial {
  const made = start('fused swiglu', product);
  const [y, act] = [made.inputs.out('y', ROWS * product.n), made.inputs.out('act', (ROWS * product.n) / 2)];
  return trial(product, made, y, { kind: 'swiglu', act, keep }, [
    ...(keep ? [{ view: y, want: made.sums }] : []),
    { view: act, want: swigluFwdRef(made.sums, LIVE, product.n / 2) },
  ]);
}

function swigluBackward(product: Product): Trial {
  const made = start('fused swiglu backward', product);
  const gu = made.inputs.filled('gu', ROWS * 2 * product.n, 3);
  const y = made.inputs.out('y', ROWS * 2 * product.n);
  const want = swigluBwdRef(made.sums, gu.values, LIVE, product.n);
  return trial(product, made, y, { kind: 'swiglu_bwd', gu: gu.view }, [{ view: y, want }]);
}

/** The backward of a frozen feed-forward in its two products: [m, F] by gate and up [2F, C], after an RMS norm of x [m, C]. */
function feedForward(): Trial {
  const [C, F] = [52, 140];
  const inputs = new Inputs('fused feed-forward');
  const [dout, down] = [inputs.filled('dout', ROWS * C), inputs.filled('down', C * F)];
  const [x, gain, up] = [inputs.filled('x', ROWS * C, 3), inputs.filled('gain', C), inputs.filled('up', 2 * F * C, 0.3)];
  const before = inputs.filled('dx', ROWS * C);
  const normed = rmsNormFwdRef(x.values, gain.values, ROWS, C, EPS);
  const product = (layout: 'nt' | 'nn', n: number, k: number, a: Numbers, b: Numbers): Float64Array => {
    const strides = { lda: k, ldb: layout === 'nt' ? k : n, ldy: n, a0: 0, b0: 0, y0: 0 };
    return matmulReference({ layout, m: ROWS, n, k, ...strides, alpha: 1, accumulate: false }, new Float32Array(ROWS * n), a, b);
  };
  const gu = product('nt', 2 * F, C, normed.y, up.values);
  const dgu = swigluBwdRef(product('nn', F, C, dout.values, down.values), gu, ROWS, F);
  const dn = product('nn', C, 2 * F, dgu, up.values);
  const { dx } = rmsNormBwdRef(dn, x.values, normed.rstd, gain.values, ROWS, C);
  const groups = rowSumGroups(ROWS, F);
  const along = inputs.out('along', ROWS * groups);
  const y = inputs.out('dgu', ROWS * 2 * F);
  const views = { gu: inputs.given('gu', gu), rstd: inputs.given('rstd', normed.rstd) };
  const common = { label: 'check', layout: 'nn', m: ROWS, live: { extent: 'rows' } } as const;
  const first = { ...common, y, a: dout.view, b: down.view, n: F, k: C, epilogue: { kind: 'swiglu_bwd', gu: views.gu, along } } as const;
  const norm = { kind: 'norm_bwd', x: x.view, gain: gain.view, rstd: views.rstd, along, groups } as const;
  return {
    dispatches: [
      fusedMatmul({ ...first, columns: [0, 64] }),
      fusedMatmul({ ...first, columns: [64, F] }),
      fusedMatmul({ ...common, y: before.view, a: y, b: up.view, n: C, k: 2 * F, epilogue: norm }),
    ],
    data: inputs.data,
    expected: [
      { view: { ...y, bytes: LIVE * 2 * F * 4 }, want: dgu.subarray(0, LIVE * 2 * F) },
      { view: before.view, want: before.values.map((value, at) => (at < LIVE * C ? value + dx[at] : value)) },
    ],
    frame: { extents: { rows: LIVE } },
  };
}

/** The sum of dK and dV over query heads, with the positions turned back. */
function sumAndTurnBack(): Trial {
  const sizes = { heads: 4, kvHeads: 2, headDim: 12 };
  const { heads, kvHeads, headDim } = sizes;
  const width = (heads + 2 * kvHeads) * headDim;
  const inputs = new Inputs('fused sum');
  const [dqkv, part] = [inputs.filled('dqkv', ROWS * width), inputs.filled('part', ROWS * 2 * heads * headDim)];
  const theta = 10_000;
  const segStart = Array.from({ length: ROWS }, (_, row) => (row < 33 ? 0 : 33));
  const frequencies = Array.from({ length: headDim / 2 }, (_, d) => theta ** ((-2 * d) / headDim));
  const tables = ropeTables(frequencies, ROWS);
  const added = Float64Array.from(dqkv.values, (value, at) => {
    const [row, head, d] = [Math.floor(at / width), Math.floor((at % width) / headDim) - heads, at % headDim];
    const group = heads / kvHeads;
    const of = (h: number): number => part.values[(row * 2 * heads + head * group + h) * headDim + d];
    return head < 0 ? value : Array.from({ length: group }, (_, h) => of(h)).reduce((sum, each) => sum + each, 0);
  });
  const turn = { cos: inputs.given('cos', tables.cos), sin: inputs.given('sin', tables.sin), tableRows: ROWS };
  const want = ropeRef({ qkv: added, segStart, rows: LIVE, ...sizes, theta, inverse: true });
  const of = { label: 'check', dqkv: dqkv.view, byHead: part.view, rows: ROWS, ...sizes };
  return {
    dispatches: [attentionBwdSum({ ...of, turn: { ...turn, segStart: inputs.indices('segStart', segStart) } })],
    data: inputs.data,
    expected: [{ view: { ...dqkv.view, bytes: LIVE * width * 4 }, want: want.subarray(0, LIVE * width) }],
    frame: { extents: { rows: LIVE } },
  };
}

function plain(product: Product): Trial {
  const made = start('fused norm', product);
  const y = made.inputs.out('y', ROWS * product.n);
  return trial(product, made, y, { kind: 'plain' }, [{ view: y, want: made.sums }]);
}

/** n = (3 + 2 · 1) heads. */
function rope(product: Product): Trial {
  const made = start('fused rope', product);
  const sizes = { heads: 3, kvHeads: 1, headDim: product.n / 5 };
  const theta = 10_000;
  const segStart = Array.from({ length: ROWS }, (_, row) => (row < 33 ? 0 : 33));
  const frequencies = Array.from({ length: sizes.headDim / 2 }, (_, d) => theta ** ((-2 * d) / sizes.headDim));
  const tables = ropeTables(frequencies, ROWS);
  const y = made.inputs.out('y', ROWS * product.n);
  const epilogue = {
    kind: 'rope',
    headDim: sizes.headDim,
    turned: sizes.heads + sizes.kvHeads,
    cos: made.inputs.given('cos', tables.cos),
    sin: made.inputs.given('sin', tables.sin),
    tableRows: ROWS,
    segStart: made.inputs.indices('segStart', segStart),
  } as const;
  return trial(product, made, y, epilogue, [{ view: y, want: ropeRef({ qkv: made.sums, segStart, rows: LIVE, ...sizes, theta }) }]);
}

/** Every epilogue, over the tiles and operands in turn. */
export function fusedCases(): KernelCase[] {
  const cases: readonly (readonly [string, Product, (product: Product) => Trial])[] = [
    ['GELU (tanh)', { layout: 'nn', n: 132, tile: '64x64', bias: true }, (of) => gelu(of, 'tanh')],
    ['GELU (erf)', { layout: 'nn', n: 132, tile: '32x32', bias: false }, (of) => gelu(of, 'erf')],
    ['GELU, backward', { layout: 'nt', n: 132, tile: '64x64', bias: false }, geluBackward],
    ['SwiGLU', { layout: 'nt', n: 172, tile: '64x64', bias: true }, (of) => swiglu(of, true)],
    ['SwiGLU, bf16, result alone', { layout: 'nt', n: 172, tile: '128x64', bias: false, stored: 'bf16' }, (of) => swiglu(of, false)],
    ['SwiGLU, backward', { layout: 'nn', n: 140, tile: '64x64', bias: false }, swigluBackward],
    ['RMS norm', { layout: 'nt', n: 132, tile: '32x32', bias: true, norm: 'rms' }, plain],
    ['RMS norm and SwiGLU', { layout: 'nt', n: 172, tile: '64x64', bias: false, norm: 'rms', stored: 'bf16' }, (of) => swiglu(of, true)],
    ['RMS norm and rotary positions', { layout: 'nt', n: 5 * 32, tile: '128x64', bias: false, norm: 'rms' }, rope],
    ['layer norm and GELU', { layout: 'nn', n: 132, tile: '64x64', bias: true, norm: 'layer' }, (of) => gelu(of, 'tanh')],
    ['layer norm', { layout: 'nt', n: 132, tile: '128x64', bias: false, norm: 'layer' }, plain],
    ['rotary positions', { layout: 'nt', n: 5 * 28, tile: '32x32', bias: true }, rope],
    ['rotary positions, wide heads', { layout: 'nt', n: 5 * 64, tile: '64x64', bias: false }, rope],
  ];
  // Sums of up to 280 terms, and exp or erf.
  const bound = 1e-5;
  return [
    ...cases.map(([name, product, make]): KernelCase => {
      return { name: `product with ${name}, ${product.layout} ${product.tile}`, group: 'matmul tiles', bound, make: () => make(product) };
    }),
    { name: 'products of a feed-forward, backward', group: 'matmul tiles', bound, make: feedForward },
    { name: 'sum of dK and dV, positions turned back', group: 'attention tiles', bound, make: sumAndTurnBack },
  ];
}
