// Every layout and family of matmul against the float64 loops of matmul.ref.ts. What a kernel must not use (other
// columns of a strided buffer, rows past the live ones) is NaN in a and b. What it must not write holds its bits:
// NaN where y is assigned, a number where it is added to, so that a sum written there by mistake is seen. LISA_SLOW=1 compiles more
// variants of the shared tiles: those differ in operands' formats and options, which the register kernels and the others here cover.

import { afterAll, describe, expect, it } from 'vitest';
import { AppError } from '../../base/errors';
import { scratch } from '../../gpu/lab';
import { nodeLab } from '../../testing/node-lab';
import { narrow } from '../../base/half';
import { decodeTensor } from '../../io/formats/safetensors';
import type { Frame } from '../../dispatch/frame';
import type { BufferSpec, Half, View } from '../../dispatch/types';
import { amount, type Extents } from '../../dispatch/extents';
import { randomArray, relativeError } from '../../testing/compare';
import { SLOW } from '../../testing/slow';
import { matmul, matmulParts, type MatmulArgs, type MatmulFamily, type MatmulLayout } from './matmul';
import { matmulReference } from './matmul.ref';

const LAYOUTS: readonly MatmulLayout[] = ['nt', 'nn', 'tn'];
const FAMILIES: readonly MatmulFamily[] = ['register', 'tiles'];

/**
 * Of max|error| / max|y|. A sum of k terms in f32 is off by about 2⁻²⁴·√k of its partial sums, alpha, bias, residual
 * and accumulation add up to four roundings; five times that for the worst of thousands of outputs.
 */
const tolerance = (k: number): number => 5 * 2 ** -24 * (Math.sqrt(k) + 4);

type Options = Pick<MatmulArgs, 'lda' | 'ldb' | 'ldy' | 'a0' | 'b0' | 'y0' | 'live' | 'alpha' | 'accumulate' | 'family' | 'tile'>;
interface Case extends Options {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly bias?: boolean;
  readonly residual?: boolean;
  /** b lies packed. */
  readonly stored?: Half;
  /** Parts of the sum. */
  readonly parts?: number;
  readonly extents?: Partial<Extents>;
  readonly frame?: Partial<Omit<Frame, 'extents'>>;
}

/** Random values inside the slice of `rows` × [offset, offset + width), `outside` elsewhere. */
function slice(
  rows: number,
  capacity: number,
  width: number,
  stride: number,
  offset: number,
  seed: number,
  outside = NaN,
): Float32Array<ArrayBuffer> {
  const values = randomArray(rows * width, seed);
  const out = new Float32Array((capacity - 1) * stride + offset + width).fill(outside);
  for (let row = 0; row < rows; row++) out.set(values.subarray(row * width, (row + 1) * width), row * stride + offset);
  return out;
}

/** Runs one case and returns max|error| / max|y| over what should be written; checks that nothing else was. */
async function run(layout: MatmulLayout, spec: Case): Promise<number> {
  const lab = await nodeLab();
  const { m, n, k, bias: withBias, residual: withResidual, stored, parts, extents, frame, ...options } = spec;
  const { live } = options;
  const limit = live ? Math.max(0, (extents?.[live.extent] ?? 0) - (live.row0 ?? 0)) : Infinity;
  const liveM = layout === 'tn' ? m : Math.min(m, limit);
  const liveK = layout === 'tn' ? Math.min(k, limit) : k;
  const [aRows, aLive, aWidth] = layout === 'tn' ? [k, liveK, m] : [m, liveM, k];
  const [bRows, bLive, bWidth] = layout === 'nt' ? [n, n, k] : [k, liveK, n];
  const { lda = aWidth, ldb = bWidth, ldy = n, a0 = 0, b0 = 0, y0 = 0, alpha = 1, accumulate = 'no' } = options;
  const accumulates = accumulate === 'yes' || (accumulate === 'frame' && frame?.accumulate === true);

  const data = new Map<BufferSpec, Float32Array<ArrayBuffer>>();
  const input = (name: string, values: Float32Array<ArrayBuffer>): View => {
    const view = scratch(name, values.length);
    const padded = new Float32Array(view.bytes / 4).fill(NaN);
    padded.set(values);
    data.set(view.buffer, padded);
    return { ...view, bytes: values.byteLength };
  };
  const a = slice(aLive, aRows, aWidth, lda, a0, 1);
  const wide = slice(bLive, bRows, bWidth, ldb, b0, 2);
  const codes = stored && narrow(wide, stored);
  const b = codes ? decodeTensor(new Uint8Array(codes.buffer), stored) : wide;
  const packed = (values: Uint16Array<ArrayBuffer>): View => {
    const view = scratch('b', Math.ceil(values.length / 2));
    const words = new Uint16Array(view.bytes / 2).fill(0xffff);
    words.set(values);
    data.set(view.buffer, new Float32Array(words.buffer));
    return { ...view, bytes: values.byteLength, stored };
  };
  const bias = withBias ? randomArray(n, 3) : undefined;
  const residual = withResidual ? slice(m, m, n, ldy, y0, 4) : undefined;
  const before = accumulates ? slice(m, m, n, ldy, y0, 5, 0.25) : slice(0, m, n, ldy, y0, 5);
  const y = input('y', before);
  const product: MatmulArgs = {
    label: 'test',
    layout,
    m,
    n,
    k,
    ...options,
    y,
    a: input('a', a),
    b: codes ? packed(codes) : input('b', b),
    ...(bias && { bias: input('bias', bias) }),
    ...(residual && { residual: input('residual', residual) }),
  };
  const dispatches = parts ? matmulParts(product, { count: parts, scratch: scratch('parts', parts * m * n) }) : [matmul(product)];
  const [got] = await lab.run(dispatches, data, [y], { ...frame, extents });

  const shape = { layout, m: liveM, n, k: liveK, lda, ldb, ldy, a0, b0, y0, alpha, accumulate: accumulates };
  const want = matmulReference(shape, before, a, b, bias, residual);
  const written = (at: number): boolean => at % ldy >= y0 && at % ldy < y0 + n && at < liveM * ldy;
  const touched = got.findIndex((value, at) => !written(at) && !Object.is(value, before[at]));
  expect(touched, `element ${touched} of y lies outside the product and was written`).toBe(-1);
  const error = relativeError(
    got.filter((_, at) => written(at)),
    want.filter((_, at) => written(at)),
  );
  expect(error, JSON.stringify({ layout, ...spec })).toBeLessThan(tolerance(k));
  return error;
}

type Sizes = Pick<Case, 'm' | 'n' | 'k'>;
const SIZES = {
  quads: { m: 72, n: 68, k: 36 },
  odd: { m: 37, n: 301, k: 100 },
  'one term': { m: 9, n: 7, k: 1 },
  'odd sums': { m: 13, n: 20, k: 51 },
  'one column': { m: 70, n: 1, k: 33 },
  'one row': { m: 1, n: 70, k: 132 },
  'two odd rows': { m: 2, n: 19, k: 77 },
  'three rows': { m: 3, n: 12, k: 8 },
  'four rows': { m: 4, n: 36, k: 68 },
} as const satisfies Readonly<Record<string, Sizes>>;
/** Everything at once; a kernel is compiled for each combination of options, so most checks share this one. */
const FULL = { bias: true, residual: true, alpha: 2.5, accumulate: 'frame', frame: { accumulate: true } } as const;

const worst = new Map<string, number>();
const note = (name: string, error: number): void => {
  worst.set(name, Math.max(worst.get(name) ?? 0, error));
};
afterAll(() => {
  for (const [name, error] of worst) console.info(`matmul ${name}: worst relative error ${error.toExponential(2)}`);
});

describe.each(LAYOUTS.flatMap((layout) => FAMILIES.map((family) => ({ layout, family }))))(
  'matmul $layout, $family',
  ({ layout, family }) => {
    const check = async (spec: Case): Promise<void> => note(`${layout} ${family}`, await run(layout, { ...spec, family }));
    // Few rows are sizes like any other to the tiles of nn and tn; a kernel of those takes seconds to compile.
    const sizes = Object.entries<Sizes>(SIZES).filter(
      ([, { m }], at) => family === 'register' || at < (SLOW ? 3 : 2) || (layout === 'nt' && m <= 4),
    );

    // A kernel without any option is one more to compile for each size.
    const plain = sizes.filter(([name, { m }]) => family === 'register' || (SLOW && name === 'odd') || (layout === 'nt' && m <= 4));

    if (plain.length > 0) it.each(plain)('is the product: %s', (_, size) => check(size));

    it.each(sizes)('adds bias, residual and what was there to alpha times the product: %s', async (_, size) => {
      await check({ ...size, ...FULL });
      await check({ ...size, ...FULL, alpha: -0.5, frame: { accumulate: false } });
    });

    it.each(sizes)('stops at the live extent: %s', async (_, size) => {
      const capacity = layout === 'tn' ? size.k : size.m;
      for (const rows of new Set([0, 1, Math.ceil(capacity / 2), capacity, capacity + 5])) {
        await check({ ...size, ...FULL, live: { extent: 'rows' }, extents: { rows } });
      }
      for (const targets of [6, 7, 7 + Math.ceil(capacity / 2), 8 + capacity]) {
        await check({ ...size, ...FULL, live: { extent: 'targets', row0: 7 }, extents: { targets, rows: 1 } });
      }
    });

    it.each(sizes)('takes slices of wider buffers: %s', async (_, { m, n, k }) => {
      const [aWidth, bWidth] = [layout === 'tn' ? m : k, layout === 'nt' ? k : n];
      await check({ m, n, k, ...FULL, lda: aWidth + 8, a0: 4, ldb: bWidth + 4, ldy: n + 12, y0: 8 });
      await check({ m, n, k, ...FULL, lda: aWidth + 7, a0: 1, ldb: bWidth + 7, b0: 2, ldy: n + 7, y0: 1 });
    });

    it('is right at sizes of a real model', async () => {
      await check({ ...(family === 'tiles' && FULL), m: 256, n: 128, k: 352 });
      await check({ ...FULL, m: 64, n: 2048, k: 128 });
    });
  },
);

describe('matmul in tiles', () => {
  const check = async (layout: MatmulLayout, spec: Case): Promise<void> =>
    note(`${layout} tiles`, await run(layout, { ...spec, family: 'tiles' }));

  const LARGE = LAYOUTS.flatMap((layout) => (['128x64', '64x64'] as const).map((tile) => [layout, tile] as const));
  // Tiles differ in three constants and layouts in how they read, so that two of the six cover both; each takes seconds to compile.
  const chosen = LARGE.filter(([layout, tile]) => SLOW || (layout === 'tn' && tile === '128x64') || (layout === 'nn' && tile === '64x64'));

  // Larger than a tile in every direction, and odd.
  it.each(chosen)('%s, %s', async (layout, tile) => {
    const [m, n, k] = [147, 301, 100];
    await check(layout, { m, n, k, ...FULL, tile, lda: (layout === 'tn' ? m : k) + 7, a0: 1, ldy: n + 7, y0: 1 });
    await check(layout, {
      m,
      n,
      k,
      ...FULL,
      tile,
      lda: (layout === 'tn' ? m : k) + 7,
      a0: 1,
      ldy: n + 7,
      y0: 1,
      live: { extent: 'rows' },
      extents: { rows: 61 },
    });
  });

  it.each(LAYOUTS)('%s in parts of the sum', async (layout) => {
    const spec = { m: 37, n: 34, k: 151, ...FULL, ldy: 37, y0: 2, live: { extent: 'rows' } } as const;
    for (const rows of [0, 17, 37, 200]) await check(layout, { ...spec, parts: 3, extents: { rows } });
  });

  it('has the same bits in every tile', async () => {
    const lab = await nodeLab();
    const [m, n, k] = [70, 36, 100];
    const views = { y: scratch('y', m * n), a: scratch('a', m * k), b: scratch('b', n * k) };
    const data = new Map([views.a, views.b].map((view, at) => [view.buffer, randomArray(view.bytes / 4, at)]));
    const results = [];
    for (const tile of ['128x64', '64x64', '32x32'] as const) {
      const [y] = await lab.run([matmul({ label: tile, layout: 'nt', family: 'tiles', tile, m, n, k, ...views })], data, [views.y]);
      results.push(new Uint32Array(y.buffer));
    }
    expect(results[1]).toEqual(results[0]);
    expect(results[2]).toEqual(results[0]);
  });
});

describe.each(['nt', 'nn'] as const)('matmul %s, with packed weights', (layout) => {
  // Rows of whole quads; every other size is as odd as it was. A kernel is compiled for each: one with all options.
  const cases = (['f16', 'bf16'] as const).flatMap((stored) =>
    [
      { ...SIZES.odd, family: 'register' } as const,
      { ...SIZES['three rows'], n: 20, k: 76, family: 'register' } as const,
      ...(stored === 'bf16' && (SLOW || layout === 'nn') ? [{ ...SIZES.odd, family: 'tiles' } as const] : []),
    ].map(({ m, n, k, family }) => ({ stored, family, m, n: layout === 'nn' ? 4 * Math.ceil(n / 4) : n, k: k - (k % 4) })),
  );
  it.each(cases)('$stored, $family, $m×$n×$k', async ({ m, n, k, ...packed }) => {
    const check = async (spec: Case): Promise<void> => note(`${layout} ${packed.family} ${packed.stored}`, await run(layout, spec));
    const [aWidth, bWidth] = [k, layout === 'nt' ? k : n];
    const odd = { ...packed, ...FULL, m, n, k, lda: aWidth + 7, a0: 1, ldy: n + 7, y0: 1 };
    await check({ ...odd, ldb: bWidth + 8, b0: 4 });
    await check({ ...odd, live: { extent: 'rows' }, extents: { rows: Math.ceil(m / 2) } });
  });
});

describe.each(LAYOUTS)('matmul %s', (layout) => {
  const check = async (spec: Case): Promise<void> => note(`${layout} register`, await run(layout, spec));

  // Each option alone: a binding that is not there must not be bound, nor read.
  describe.each([['quads', SIZES.quads] as const, ['odd', SIZES.odd] as const, ['few rows', SIZES['four rows']] as const])(
    '%s',
    (_, size) => {
      it('adds a bias', () => check({ ...size, bias: true }));
      it('adds a residual', () => check({ ...size, residual: true, alpha: -0.5 }));
      it('adds to y', () => check({ ...size, accumulate: 'yes' }));
      it('takes an odd slice of one operand', async () => {
        const { m, n, k } = size;
        await check({ ...size, lda: (layout === 'tn' ? m : k) + 5, a0: 2 });
        await check({ ...size, ldb: (layout === 'nt' ? k : n) + 5, b0: 3 });
        await check({ ...size, ldy: n + 5, y0: 1 });
      });
    },
  );
});

describe('matmul', () => {
  const args = (m: number, n: number, k: number): MatmulArgs => ({
    label: 'test',
    layout: 'nt',
    m,
    n,
    k,
    y: scratch('y', m * n),
    a: scratch('a', m * k),
    b: scratch('b', n * k),
  });
  const extents: Extents = { rows: 10, targets: 6, tokenGroups: 0, positionGroups: 0, pairs: 0 };

  it.each(FAMILIES)('goes on with a sum to the same bits as without the cut: %s', async (family) => {
    const lab = await nodeLab();
    const [m, n, k] = [21, 26, 151];
    const whole = matmul({ ...args(m, n, k), layout: 'nn', family, live: { extent: 'rows' } });
    const [y, a, b] = whole.views;
    const part = (first: number, end: number): ReturnType<typeof matmul> =>
      matmul({
        label: 'test',
        layout: 'nn',
        family,
        live: { extent: 'rows' },
        y,
        a,
        b: { ...b, offset: first * n * 4, bytes: (end - first) * n * 4 },
        m,
        n,
        k: end - first,
        a0: first,
        lda: k,
        accumulate: first === 0 ? 'no' : 'continue',
      });
    const data = new Map([a, b].map((view, at): [BufferSpec, Float32Array<ArrayBuffer>] => [view.buffer, randomArray(view.bytes / 4, at)]));
    const frame = { extents: { rows: 19 } };
    const [want] = await lab.run([whole], data, [y], frame);
    const [got] = await lab.run([part(0, 64), part(64, 128), part(128, k)], data, [y], frame);
    expect(Buffer.from(got.buffer).equals(Buffer.from(want.buffer))).toBe(true);
    expect(want.some((value) => value !== 0)).toBe(true);
    // To assign a part instead is another result.
    const adding = [part(0, 64), { ...part(64, 128), kernel: part(0, 64).kernel }, part(128, k)];
    const [wrong] = await lab.run(adding, data, [y], frame);
    expect(Buffer.from(wrong.buffer).equals(Buffer.from(want.buffer))).toBe(false);
    expect(() => matmul({ ...args(m, n, k), accumulate: 'continue' })).toThrow('continue');
    expect(() => matmul({ ...args(m, n, k), layout: 'nn', accumulate: 'continue', alpha: 2 })).toThrow('continue');
  });

  it('gives the same bits in every run, whatever the row tile', async () => {
    const lab = await nodeLab();
    const [m, n, k] = [8, 24, 100];
    const data = (dispatch: ReturnType<typeof matmul>): Map<BufferSpec, Float32Array<ArrayBuffer>> =>
      new Map(dispatch.views.slice(1).map((view, at) => [view.buffer, randomArray(view.bytes / 4, at)]));
    const whole = matmul({ ...args(m, n, k), layout: 'nn' });
    const few = matmul({ ...args(4, n, k), layout: 'nn', b: whole.views[2] });
    const [first] = await lab.run([whole], data(whole), [whole.views[0]]);
    const [again] = await lab.run([whole], data(whole), [whole.views[0]]);
    const [head] = await lab.run([few], data(few), [few.views[0]]);
    expect(again).toEqual(first);
    expect(head).toEqual(first.slice(0, 4 * n));
  });

  it('gives the same bits whether the same weights lie packed or not', async () => {
    const lab = await nodeLab();
    const cases = [
      { layout: 'nt', family: 'register', stored: 'f16', m: 21 },
      { layout: 'nt', family: 'register', stored: 'bf16', m: 3 },
      { layout: 'nn', family: 'register', stored: 'bf16', m: 21 },
      { layout: 'nt', family: 'tiles', stored: 'f16', m: 21 },
    ] as const;
    for (const { stored, m, ...kind } of cases) {
      const whole = { ...args(m, 24, 100), ...kind };
      const codes = narrow(randomArray(24 * 100, 7), stored);
      const packed: View = { ...scratch('packed', 24 * 50), stored };
      const data = new Map([
        [whole.a.buffer, randomArray(m * 100, 8)],
        [whole.b.buffer, decodeTensor(new Uint8Array(codes.buffer), stored)],
        [packed.buffer, new Float32Array(codes.buffer)],
      ]);
      const [wide] = await lab.run([matmul(whole)], data, [whole.y]);
      const [narrowed] = await lab.run([matmul({ ...whole, b: packed })], data, [whole.y]);
      expect(new Uint32Array(narrowed.buffer), JSON.stringify({ stored, m, ...kind })).toEqual(new Uint32Array(wide.buffer));
    }
  });

  it('counts the work of the live rows', () => {
    const whole = matmul({ ...args(16, 8, 4), live: { extent: 'rows' } });
    const packed = matmul({ ...args(16, 8, 4), b: { ...scratch('b', 8 * 2), stored: 'f16' }, live: { extent: 'rows' } });
    expect(amount(whole.work.bytes, extents) - amount(packed.work.bytes, extents)).toBe(2 * 8 * 4);
    expect(amount(whole.work.flops, extents)).toBe(2 * 10 * 8 * 4);
    expect(amount(whole.work.bytes, extents)).toBe(4 * (10 * 4 + 8 * 4 + 10 * 8));
    const weightGradient = matmul({ ...args(16, 8, 4), layout: 'tn', live: { extent: 'targets' }, accumulate: 'frame' });
    expect(amount(weightGradient.work.flops, extents)).toBe(2 * 16 * 8 * 6);
    expect(amount(weightGradient.work.bytes, extents)).toBe(4 * (6 * 16 + 6 * 8 + 2 * 16 * 8));
    const chunk = matmul({ ...args(16, 8, 4), live: { extent: 'targets', row0: 0 } });
    expect(amount(chunk.work.flops, extents)).toBe(2 * 16 * 8 * 4);
  });

  it('stays inside the grid limits at a vocabulary of 151,936 and 65,536 rows', () => {
    const huge = (count: number): View => ({ ...scratch('huge', 4), bytes: count * 4 });
    for (const family of FAMILIES) {
      for (const layout of LAYOUTS) {
        for (const [m, n] of [
          [1, 151936],
          [65536, 151936],
          [151936, 65536],
        ]) {
          const { grid } = matmul({ label: 'huge', layout, family, m, n, k: 64, y: huge(m * n), a: huge(m * 64), b: huge(n * 64) });
          for (const groups of grid) expect(groups).toBeLessThanOrEqual(65535);
        }
      }
    }
  });

  it.each<[string, Partial<MatmulArgs>]>([
    ['a', { k: 5 }],
    ['b', { n: 9, y: scratch('y', 16 * 9) }],
    ['b', { k: 6, a: scratch('a', 16 * 6), b: { ...scratch('b', 8 * 6), stored: 'f16' } }],
    ['b', { b: { ...scratch('b', 8 * 2 - 4), stored: 'bf16' } }],
    ['a', { a: { ...scratch('a', 16 * 4), stored: 'f16' } }],
    ['y', { y: scratch('y', 16 * 8 - 4) }],
    ['a', { a0: 1 }],
    ['y', { ldy: 7 }],
    ['m', { m: 0 }],
    ['bias', { bias: scratch('bias', 4) }],
    ['residual', { residual: scratch('residual', 16 * 8 - 4) }],
    ['row0', { live: { extent: 'rows', row0: -1 } }],
  ])('refuses a wrong %s', (binding, wrong) => {
    let thrown: unknown;
    try {
      matmul({ ...args(16, 8, 4), ...wrong });
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(AppError);
    expect(thrown).toMatchObject({ code: 'SHAPE_MISMATCH' });
    expect((thrown as AppError).detail).toContain(`, ${binding}:`);
  });
});
