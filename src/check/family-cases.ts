// Cases of the kernels of which a device may have several families: matrix products and attention.

import type { MatmulArgs, MatmulFamily, MatmulLayout } from '../shaders/matmul/matmul';
import { matmul } from '../shaders/matmul/matmul';
import { matmulReference } from '../shaders/matmul/matmul.ref';
import type { MatmulTile } from '../shaders/matmul/tile';
import {
  attentionBwdDelta,
  attentionBwdDkv,
  attentionBwdDq,
  attentionBwdSum,
  attentionFwd,
  type AttentionFamily,
} from '../shaders/attention/attention';
import { attentionBwdRef, attentionRef } from '../shaders/attention/attention.ref';
import type { Half } from '../dispatch/types';
import { bf16ToF32, f16ToF32, narrow } from '../base/half';
import { Inputs, type KernelCase, type Trial } from './trial';

const LAYOUTS: readonly MatmulLayout[] = ['nt', 'nn', 'tn'];

/** A sum of k products of f32 is off by about 2⁻²⁴·√k of its partial sums; five times that for the worst of thousands. */
const sumBound = (k: number): number => 5 * 2 ** -24 * (Math.sqrt(k) + 4);

type Product = Pick<MatmulArgs, 'layout' | 'm' | 'n' | 'k'> & {
  readonly family: MatmulFamily;
  readonly tile?: MatmulTile;
  readonly stored?: Half;
};

function product({ layout, m, n, k, family, tile, stored }: Product): Trial {
  const inputs = new Inputs(`${layout} ${m} ${n} ${k} ${stored ?? ''}`);
  const a = inputs.filled('a', m * k);
  const wide = inputs.random(n * k);
  const codes = stored && narrow(wide, stored);
  const values = codes ? (stored === 'f16' ? f16ToF32 : bf16ToF32)(codes) : wide;
  const b = codes ? { ...inputs.indices('b', [...new Uint32Array(codes.buffer)]), stored } : inputs.given('b', wide);
  const y = inputs.out('y', m * n);
  const [lda, ldb] = [layout === 'tn' ? m : k, layout === 'nt' ? k : n];
  const shape = { layout, m, n, k, lda, ldb, ldy: n, a0: 0, b0: 0, y0: 0, alpha: 1, accumulate: false };
  return {
    dispatches: [matmul({ label: 'check', layout, m, n, k, y, a: a.view, b, family, ...(tile && { tile }) })],
    data: inputs.data,
    expected: [{ view: y, want: matmulReference(shape, new Float32Array(m * n), a.values, values) }],
  };
}

function productCase(of: Product): KernelCase {
  const { layout, m, n, k, family, tile, stored } = of;
  const kind = [layout, tile, stored].filter((word) => word !== undefined).join(' ');
  return { name: `product ${kind}, ${m} × ${n} × ${k}`, group: `matmul ${family}`, bound: sumBound(k), make: () => product(of) };
}

/** Every layout and tile: at odd sizes larger than a tile in every direction, and at `real` sizes of a projection. */
export function matmulCases(family: MatmulFamily, real: boolean): KernelCase[] {
  const tiles: readonly (MatmulTile | undefined)[] = family === 'tiles' ? ['128x64', '64x64', '32x32'] : [undefined];
  const odd = LAYOUTS.flatMap((layout) => tiles.map((tile): Product => ({ layout, m: 147, n: 133, k: 101, family, tile })));
  const few: Product[] = [1, 4].map((m) => ({ layout: 'nt', m, n: 133, k: 204, family }));
  const packed: Product[] = (['f16', 'bf16'] as const).flatMap((stored) =>
    (['nt', 'nn'] as const).map((layout) => ({ layout, m: 70, n: 68, k: 100, family, stored })),
  );
  const large: Product[] = real ? LAYOUTS.map((layout) => ({ layout, m: 256, n: 576, k: 576, family })) : [];
  return [...odd, ...few, ...packed, ...large].map(productCase);
}

interface Heads {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly segments: readonly number[];
}

function attention({ heads, kvHeads, headDim, segments }: Heads, family: AttentionFamily): Trial {
  const rows = segments.reduce((sum, length) => sum + length, 0);
  const width = (heads + 2 * kvHeads) * headDim;
  const inputs = new Inputs(`attention ${heads} ${kvHeads} ${headDim}`);
  const qkv = inputs.filled('qkv', rows * width, 1.7);
  const dout = inputs.filled('dout', rows * heads * headDim);
  const starts = segments.flatMap((length, at) => {
    const first = segments.slice(0, at).reduce((sum, each) => sum + each, 0);
    return Array.from({ length }, () => [first, first + length] as const);
  });
  const scale = 1 / Math.sqrt(headDim);
  const segStart = starts.map(([first]) => first);
  const views = {
    qkv: qkv.view,
    dout: dout.view,
    segStart: inputs.indices('segStart', segStart),
    segEnd: inputs.indices(
      'segEnd',
      starts.map(([, end]) => end),
    ),
    o: inputs.out('o', rows * heads * headDim),
    lse: inputs.out('lse', rows * heads),
    delta: inputs.out('delta', rows * heads),
    dqkv: inputs.out('dqkv', rows * width),
  };
  const common = { label: 'check', rows, heads, kvHeads, headDim, scale, family };
  const byHead = family === 'tiles' && kvHeads < heads ? inputs.out('byHead', 2 * rows * heads * headDim) : undefined;
  const sizes = { qkv: qkv.values, segStart, rows, heads, kvHeads, headDim, scale };
  const forward = attentionRef(sizes);
  return {
    dispatches: [
      attentionFwd({ ...common, ...views }),
      ...(family === 'software'
        ? [attentionBwdDelta({ label: 'check', delta: views.delta, dout: views.dout, o: views.o, rows, heads, headDim })]
        : []),
      attentionBwdDq({ ...common, ...views }),
      attentionBwdDkv({ ...common, ...views, byHead }),
      ...(byHead ? [attentionBwdSum({ ...common, dqkv: views.dqkv, byHead })] : []),
    ],
    data: inputs.data,
    expected: [
      { view: views.o, want: forward.o },
      { view: views.lse, want: forward.lse },
      { view: views.dqkv, want: attentionBwdRef({ ...sizes, dout: dout.values }) },
    ],
    frame: { extents: { rows, pairs: segments.reduce((sum, t) => sum + (t * (t + 1)) / 2, 0) } },
  };
}

/** Forward and backward over mixed segments with fewer key heads than query heads, and with heads of `real` width. */
export function attentionCases(family: AttentionFamily, real: boolean): KernelCase[] {
  const shapes: Heads[] = [
    { heads: 4, kvHeads: 2, headDim: 8, segments: [5, 1, 40, 27] },
    ...(real ? [{ heads: 3, kvHeads: 1, headDim: 64, segments: [70, 58] }] : []),
  ];
  return shapes.map((shape) => ({
    name: `attention, ${shape.heads} heads over ${shape.kvHeads}, ${shape.headDim} wide`,
    group: `attention ${family}`,
    // The backward takes differences of numbers of like size, and exp may be off by 1e-6.
    bound: 2e-5,
    make: () => attention(shape, family),
  }));
}
