// Cutting work into pieces changes neither a bit of the result nor the memory, and no piece takes too long.

import { beforeAll, describe, expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '../dispatch/limits';
import { scratch, type Lab } from '../gpu/lab';
import { nodeLab } from '../testing/node-lab';
import { attentionBwdDelta, attentionBwdDkv, attentionBwdDq, attentionFwd } from '../shaders/attention/attention';
import { randomArray } from '../testing/compare';
import { matmul, type MatmulArgs } from '../shaders/matmul/matmul';
import { assignments, dispatchesOf, everySegment, METHODS, runConfig, runPlan } from '../testing/plans';
import { SHAPES } from '../testing/shapes';
import { CARD_KERNELS, DEFAULT_KERNELS, KERNEL_CHOICES, LEAST_DISPATCH_FLOPS } from './input';
import { rangesOf, splitProduct } from './split';
import { promptRows } from './prompt-rows';
import type { BufferSpec, Dispatch, View } from '../dispatch/types';
import { amount, gridSize, type GridDim } from '../dispatch/extents';
import { planFaults } from '../dispatch/validate';

const KINDS = { software: DEFAULT_KERNELS, card: CARD_KERNELS };

let lab: Lab;
beforeAll(async () => {
  lab = await nodeLab();
});

const sameBits = (a: Float32Array, b: Float32Array): boolean => Buffer.from(a.buffer).equals(Buffer.from(b.buffer));

describe.each(['software', 'card'] as const)('%s kernels', (kind) => {
  const { matmul: family, attention } = KINDS[kind];
  /** Elements of the operands: [a, b, y]. */
  const run = async (args: Omit<MatmulArgs, 'label' | 'y' | 'a' | 'b'>, sizes: readonly [number, number, number], maxFlops: number) => {
    const data = new Map<BufferSpec, Float32Array<ArrayBuffer>>();
    const input = (name: string, elements: number, seed: number): View => {
      const view = scratch(name, elements);
      data.set(view.buffer, randomArray(view.bytes / 4, seed));
      return view;
    };
    const whole: MatmulArgs = {
      ...args,
      family,
      label: 'test',
      a: input('a', sizes[0], 1),
      b: input('b', sizes[1], 2),
      y: input('y', sizes[2], 3),
      ...(args.layout !== 'tn' && { bias: input('bias', args.n, 4), residual: input('residual', sizes[2], 5) }),
    };
    const frame = { accumulate: true, extents: { rows: 50 } };
    const parts = splitProduct(whole, maxFlops);
    const [want] = await lab.run([matmul(whole)], data, [whole.y], frame);
    const [got] = await lab.run(parts, data, [whole.y], frame);
    expect(sameBits(got, want)).toBe(true);
    const flops = (list: readonly Dispatch[]): number =>
      list.reduce((sum, d) => sum + amount(d.work.flops, { rows: 50, targets: 0, tokenGroups: 0, positionGroups: 0, pairs: 0 }), 0);
    expect(flops(parts)).toBe(flops([matmul(whole)]));
    return parts.length;
  };
  const live = { extent: 'rows' } as const;

  // Kernels in tiles take long to compile.
  const sizes = family === 'register' ? [200, 261] : [261];

  test.each(sizes)('a product of %i columns', async (n) => {
    const [m, k] = [53, 36];
    for (const layout of ['nt', 'nn'] as const) {
      const args = { layout, m, n, k, alpha: 1.5, accumulate: 'frame', live } as const;
      expect(await run(args, [m * k, n * k, m * n], 64 * 2 * m * k)).toBe(Math.ceil(n / 64));
    }
    // As some columns of wider rows, which is how adapters write.
    const slice = { m, n, k, y0: 4, ldy: n + 9, a0: 3, lda: k + 5, live } as const;
    expect(await run({ ...slice, layout: 'nt' }, [m * (k + 5), n * k, m * (n + 9)], 1)).toBe(Math.ceil(n / 64));
    expect(await run({ ...slice, layout: 'nn', ldb: n + 3, b0: 2 }, [m * (k + 5), (n + 3) * k, m * (n + 9)], 1)).toBe(Math.ceil(n / 64));
  });

  test.each(sizes)('a weight gradient of %i rows', async (m) => {
    const [n, k] = [44, 53];
    const args = { layout: 'tn', m, n, k, accumulate: 'frame', live } as const;
    expect(await run(args, [k * m, k * n, m * n], 128 * 2 * n * k)).toBe(Math.ceil(m / 128));
    expect(await run({ ...args, lda: m + 6, a0: 5, ldb: n + 4, b0: 4 }, [k * (m + 6), k * (n + 4), m * n], 1)).toBe(Math.ceil(m / 64));
  });

  test('attention, by heads and rows', async () => {
    const [heads, kvHeads, headDim, rows] = [6, 3, 8, 70];
    const width = (heads + 2 * kvHeads) * headDim;
    const v = {
      qkv: scratch('qkv', rows * width),
      dout: scratch('dout', rows * heads * headDim),
      segStart: scratch('segStart', rows),
      segEnd: scratch('segEnd', rows),
      o: scratch('o', rows * heads * headDim),
      lse: scratch('lse', rows * heads),
      delta: scratch('delta', rows * heads),
      dqkv: scratch('dqkv', rows * width),
    };
    const data = new Map<BufferSpec, Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>>([
      [v.qkv.buffer, randomArray(rows * width, 1)],
      [v.dout.buffer, randomArray(rows * heads * headDim, 2)],
      [v.segStart.buffer, Uint32Array.from({ length: v.segStart.bytes / 4 }, (_, n) => (n < 30 ? 0 : 30))],
      [v.segEnd.buffer, Uint32Array.from({ length: v.segEnd.bytes / 4 }, (_, n) => (n < 30 ? 30 : rows))],
    ]);
    const common = { label: 'test', rows, heads, kvHeads, headDim, scale: 0.3, family: attention };
    const delta = attentionBwdDelta({ label: 'test', delta: v.delta, dout: v.dout, o: v.o, rows, heads, headDim });
    const outputs = [v.o, v.lse, v.dqkv];
    const extents = { rows, pairs: 1000 };
    const first = attention === 'software' ? [delta] : [];
    const whole = [attentionFwd({ ...common, ...v }), ...first, attentionBwdDq({ ...common, ...v }), attentionBwdDkv({ ...common, ...v })];
    const parts = [
      ...(
        [
          [0, 4],
          [4, 2],
        ] as const
      ).map((range) => attentionFwd({ ...common, ...v, range })),
      ...first,
      ...(
        [
          [0, 1],
          [1, 5],
        ] as const
      ).map((range) => attentionBwdDq({ ...common, ...v, range })),
      ...(
        [
          [0, 64],
          [64, 6],
        ] as const
      ).flatMap((rowRange) => [
        attentionBwdDkv({ ...common, ...v, range: [0, 2], rowRange }),
        attentionBwdDkv({ ...common, ...v, range: [2, 1], rowRange }),
      ]),
    ];
    const want = await lab.run(whole, data, outputs, { extents });
    const got = await lab.run(parts, data, outputs, { extents });
    got.forEach((values, at) => expect(sameBits(values, want[at]), outputs[at].buffer.name).toBe(true));
    const flops = (list: readonly Dispatch[]): number => list.reduce((sum, d) => sum + (d.work.flops.pairs ?? 0), 0);
    expect(flops(parts)).toBeCloseTo(flops(whole), 6);
  });
});

describe.each(['SmolLM2-135M', 'GPT-2 124M'] as const)('%s, four rows of 1024 tokens', (name) => {
  const shape = SHAPES[name];
  test.each(['full', 'LISA γ=2', 'LoRA'])('%s: no dispatch is above the bound, or it is as small as it gets', (method) => {
    const config = runConfig(
      shape,
      METHODS.find((m) => m.name === method)!,
      { batchSize: 4, seqLen: 1024 },
    );
    const plan = runPlan(shape, config);
    const all = assignments(plan);
    const segments = everySegment(plan, [all[0], all[all.length - 1]]);
    const sampling = new Set(plan.generation());
    const long = dispatchesOf([...segments].filter((segment) => !sampling.has(segment))).filter(
      ({ work }) => amount(work.flops, plan.capacity) > LEAST_DISPATCH_FLOPS,
    );
    const groups = (dim: GridDim): number => gridSize(dim, plan.capacity);
    const smallest = ({ kernel, grid, params }: Dispatch): boolean => {
      const size = (at: number): number => new DataView(params.buffer).getUint32(4 * at, true);
      if (/^attention_(fwd|bwd)/.test(kernel.name)) return grid[1] === 1 && groups(grid[0]) === 1;
      // Columns of y are the second parameter of a product; rows, which dW is split by, the first.
      return kernel.name.startsWith('matmul') && size(kernel.name.startsWith('matmul_tn') ? 0 : 1) <= 64;
    };
    expect(long.filter((dispatch) => !smallest(dispatch)).map(({ label }) => label)).toEqual([]);
    // Sampling: the prompt comes in pieces, at worst onto a full cache.
    const piece = promptRows(plan.input);
    expect(piece).toBeGreaterThan(32);
    const prompt = { ...plan.capacity, rows: piece, pairs: piece * plan.input.cacheTokens, targets: 1 };
    const work = dispatchesOf(sampling).map((d) => amount(d.work.flops, prompt));
    expect(work.reduce((most, flops) => Math.max(most, flops))).toBeLessThanOrEqual(LEAST_DISPATCH_FLOPS);
    const limits = { ...DEFAULT_LIMITS, maxBufferSize: 2 ** 32, maxStorageBufferBindingSize: 2 ** 32 };
    expect(planFaults(plan.allBuffers, segments, plan.capacity, limits)).toEqual([]);
    // Nothing but the table of parameters grows: a slot of 256 bytes for every distinct piece, of whichever kernels have the most.
    const slots = KERNEL_CHOICES.map((kernels) => {
      const other = runPlan(shape, config, { kernels });
      return new Set(dispatchesOf(everySegment(other, [all[0], all[all.length - 1]])).map(({ params }) => params.join())).size;
    });
    expect(plan.params.data.length).toBe(256 * Math.max(...slots));
  });
});

test('ranges cover everything once, in steps of 64 within the work and the binding', () => {
  const covers = (parts: readonly (readonly [number, number])[], total: number): void => {
    expect(parts[0][0]).toBe(0);
    expect(parts.at(-1)![1]).toBe(total);
    parts.forEach(([first, end], i) => {
      expect(first % 64).toBe(0);
      expect(end).toBeGreaterThan(first);
      if (i > 0) expect(first).toBe(parts[i - 1][1]);
    });
  };
  for (const total of [1, 63, 64, 65, 1000, 50257]) {
    for (const flops of [1, 5e5, 1e6, 1e9]) {
      const parts = rangesOf(total, flops);
      covers(parts, total);
      for (const [first, end] of parts) expect(end - first <= 64 || (end - first) * flops <= LEAST_DISPATCH_FLOPS).toBe(true);
    }
  }
  expect(rangesOf(10_000, 1)).toEqual([[0, 10_000]]);
});
