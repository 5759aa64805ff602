// Generation's attention: a prompt and then single tokens through the cache give what one causal pass gives.
// Tolerance 5e-6 of the largest value, as for the forward (attention.gpu.test.ts says why).

import { beforeAll, describe, expect, it } from 'vitest';
import { scratch, type Lab } from '../../gpu/lab';
import { nodeLab } from '../../testing/node-lab';
import type { BufferSpec } from '../../dispatch/types';
import { attentionCached, attentionFwd, cacheAppend } from './attention';
import { attentionRef } from './attention.ref';
import { cachedSplit } from './attention_cached';
import { randomArray, relativeError } from '../../testing/compare';

const TOLERANCE = 5e-6;
type Floats = Float32Array<ArrayBuffer>;

interface Problem {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly chunks: readonly number[];
  readonly capacity: number;
  readonly window?: number;
}

/** Feeds qkv in chunks; returns o of all tokens and the final caches. */
async function generate(
  lab: Lab,
  { heads, kvHeads, headDim, chunks, capacity, window }: Problem,
  qkv: Floats,
): Promise<{ o: Floats; caches: Floats[] }> {
  const width = (heads + 2 * kvHeads) * headDim;
  const rows = Math.max(...chunks) + 2;
  let caches = [0, 1].map(() => new Float32Array(capacity * kvHeads * headDim).fill(NaN));
  const o = new Float32Array(chunks.reduce((a, b) => a + b, 0) * heads * headDim);
  let past = 0;
  for (const live of chunks) {
    const views = {
      qkv: scratch('qkv', rows * width),
      kCache: scratch('k', caches[0].length),
      vCache: scratch('v', caches[1].length),
      o: scratch('o', rows * heads * headDim),
    };
    const padded = new Float32Array(rows * width).fill(NaN);
    padded.set(qkv.subarray(past * width, (past + live) * width));
    const data = new Map<BufferSpec, Floats>([
      [views.qkv.buffer, padded],
      [views.kCache.buffer, caches[0]],
      [views.vCache.buffer, caches[1]],
    ]);
    const common = {
      label: 'test',
      ...views,
      q: views.qkv,
      rows,
      heads,
      kvHeads,
      headDim,
      capacity,
      window,
      scale: 1 / Math.sqrt(headDim),
    };
    const [out, k, v] = await lab.run([cacheAppend(common), attentionCached(common)], data, [views.o, views.kCache, views.vCache], {
      extents: { rows: live },
      past,
    });
    expect(out.subarray(live * heads * headDim).every(Number.isNaN), 'rows past the live ones').toBe(true);
    o.set(out.subarray(0, live * heads * headDim), past * heads * headDim);
    caches = [k, v];
    past += live;
  }
  return { o, caches };
}

describe('attention over a cache', () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await nodeLab();
  });

  it.each([
    [2, 2, 16, [5, 1, 1]],
    [4, 2, 6, [5, 1, 1]],
    [3, 1, 64, [5, 1, 1]],
    [2, 1, 128, [5, 1, 1]],
    // More keys than a workgroup has invocations.
    [4, 2, 16, [70, 1, 3]],
  ])('H %i, K %i, D %i, chunks %j equal one causal pass', async (heads, kvHeads, headDim, chunks) => {
    const tokens = chunks.reduce((a, b) => a + b, 0);
    const capacity = tokens + 2;
    const width = (heads + 2 * kvHeads) * headDim;
    const qkv = randomArray(tokens * width, 100 + headDim);
    const sizes = { rows: tokens, heads, kvHeads, headDim, scale: 1 / Math.sqrt(headDim) };
    const { o, caches } = await generate(lab, { heads, kvHeads, headDim, chunks, capacity }, qkv);

    const views = {
      o: scratch('o', o.length),
      lse: scratch('lse', tokens * heads),
      qkv: scratch('qkv', qkv.length),
      segStart: scratch('segStart', tokens),
    };
    const data = new Map<BufferSpec, Floats | Uint32Array<ArrayBuffer>>([
      [views.qkv.buffer, qkv],
      [views.segStart.buffer, new Uint32Array(tokens)],
    ]);
    const [whole] = await lab.run([attentionFwd({ label: 'test', ...views, ...sizes })], data, [views.o], { extents: { rows: tokens } });
    const want = attentionRef({ ...sizes, qkv, segStart: new Uint32Array(tokens) }).o;
    const errors = { reference: relativeError(o, want), whole: relativeError(o, whole.subarray(0, o.length)) };
    console.info(
      `attention cached H${heads} K${kvHeads} D${headDim} ${chunks.join('+')}: reference ${errors.reference.toExponential(1)}, one pass ${errors.whole.toExponential(1)}`,
    );
    expect(errors.reference).toBeLessThan(TOLERANCE);
    expect(errors.whole).toBeLessThan(TOLERANCE);

    const kvWidth = kvHeads * headDim;
    caches.forEach((cache, part) => {
      const first = heads * headDim + part * kvWidth;
      for (let n = 0; n < tokens; n++) {
        expect(cache.subarray(n * kvWidth, (n + 1) * kvWidth)).toEqual(qkv.subarray(n * width + first, n * width + first + kvWidth));
      }
      expect(cache.subarray(tokens * kvWidth).every(Number.isNaN), 'cache rows not reached yet').toBe(true);
    });
  });

  it('sees the last 5 tokens alone where it has a window', async () => {
    const [sizes, chunks, window] = [{ heads: 4, kvHeads: 2, headDim: 6 }, [7, 1, 40, 1], 5];
    const qkv = randomArray(49 * 8 * 6, 9);
    const { o } = await generate(lab, { ...sizes, chunks, capacity: 50, window }, qkv);
    const segStart = Uint32Array.from({ length: 49 }, (_, n) => Math.max(0, n + 1 - window));
    expect(relativeError(o, attentionRef({ ...sizes, qkv, segStart, rows: 49, scale: 1 / Math.sqrt(6) }).o)).toBeLessThan(TOLERANCE);
  });

  it('a full cache is not written past its end', async () => {
    const qkv = randomArray(7 * 64, 8);
    const { caches } = await generate(lab, { heads: 2, kvHeads: 1, headDim: 16, chunks: [5, 2], capacity: 6 }, qkv);
    expect(caches[0].subarray(5 * 16, 6 * 16)).toEqual(qkv.subarray(5 * 64 + 32, 5 * 64 + 48));
    expect(caches[0].length).toBe(6 * 16);
  });

  it('shares keys between as many invocations as 16 KiB hold', () => {
    expect([16, 64, 80, 96, 128, 256].map(cachedSplit)).toEqual([32, 32, 32, 32, 16, 8]);
  });
});
