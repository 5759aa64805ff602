// Cases of products with a norm before them or an epilogue after them: norm, product and epilogue in float64, one after the other. Rows past a tile, columns
// past a tile, and a cut between two pieces by columns.

import type { Half } from '../dispatch/types';
import { bf16ToF32, narrow } from '../base/half';
import { geluRef, geluSlopeRef } from '../shaders/activation/gelu.ref';
import { swigluBwdRef, swigluFwdRef } from '../shaders/activation/swiglu.ref';
import type { Epilogue } from '../shaders/matmul/epilogue';
import { fusedMatmul, type FusedArgs } from '../shaders/matmul/fused';
import { rmsNormFwdRef } from '../shaders/norm/rms_norm.ref';
import { matmulReference } from '../shaders/matmul/matmul.ref';
import type { MatmulTile } from '../shaders/matmul/tile';
import { ropeRef } from '../shaders/rope/rope.ref';
import { ropeTables } from '../shaders/rope/rope.tables';
import { Inputs, type KernelCase, type Trial } from './trial';

/** Rows of the capacity, and of them live ones. */
const [ROWS, LIVE] = [75, 70];
const K = 52;

interface Product {
  readonly layout: 'nt' | 'nn';
  readonly n: number;
  readonly tile: MatmulTile;
  readonly bias: boolean;
  readonly stored?: Half;
  readonly norm?: boolean;
}

const EPS = 1e-5;

/** The product's inputs, and its values with the bias, of the live rows. */
function start(seed: string, { layout, n, bias, stored, norm }: Product) {
  const inputs = new Inputs(seed);
  const a = inputs.filled('a', ROWS * K, norm ? 3 : 1);
  const gain = inputs.filled('gain', K);
  const normed = norm ? rmsNormFwdRef(a.values, gain.values, ROWS, K, EPS) : undefined;
  const before = norm && { w: gain.view, rstd: inputs.out('rstd', ROWS), eps: EPS };
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
  const sums = matmulReference(shape, new Float32Array(LIVE * n), normed?.y ?? a.values, values, of?.values);
  const scales = before ? [{ view: before.rstd, want: normed!.rstd.subarray(0, LIVE) }] : [];
  return { inputs, args: { a: a.view, b, ...(of && { bias: of.view }), ...(before && { norm: before }) }, sums, scales };
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
    ['RMS norm', { layout: 'nt', n: 132, tile: '32x32', bias: true, norm: true }, plain],
    ['RMS norm and SwiGLU', { layout: 'nt', n: 172, tile: '64x64', bias: false, norm: true, stored: 'bf16' }, (of) => swiglu(of, true)],
    ['RMS norm and rotary positions', { layout: 'nt', n: 5 * 32, tile: '128x64', bias: false, norm: true }, rope],
    ['rotary positions', { layout: 'nt', n: 5 * 28, tile: '32x32', bias: true }, rope],
    ['rotary positions, wide heads', { layout: 'nt', n: 5 * 64, tile: '64x64', bias: false }, rope],
  ];
  return cases.map(([name, product, make]) => ({
    name: `product with ${name}, ${product.layout} ${product.tile}`,
    group: 'matmul tiles',
    // A sum of 52 terms, then exp or erf.
    bound: 1e-5,
    make: () => make(product),
  }));
}
