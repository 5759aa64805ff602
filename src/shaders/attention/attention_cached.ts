// Attention while generating: new tokens look back over a K/V cache, and put their own keys and values into it
// first. The cache of a layer is two buffers [capacity, K·D]; how full they are is frame.past.

import type { Dispatch, View } from '../../dispatch/types';
import cacheAppendWgsl from './attention_cache_append.wgsl?raw';
import cachedWgsl from './attention_cached.wgsl?raw';
import { headLayout, laneSource, type HeadSizes } from './attention_layout';
import { dispatch, expectElements, kernel, MAX_GROUPS } from '../../dispatch/kernel';

interface CacheArgs extends HeadSizes {
  readonly label: string;
  /** [capacity, K·D] each. */
  readonly kCache: View;
  readonly vCache: View;
  /** Capacity of the new tokens: the largest N. */
  readonly rows: number;
  /** Tokens that the cache can hold; the caller keeps frame.past + N within it. */
  readonly capacity: number;
}

export interface CacheAppendArgs extends CacheArgs {
  /** [N, (H + 2K)·D] of the new tokens, after RoPE. */
  readonly qkv: View;
}

export interface AttentionCachedArgs extends CacheArgs {
  /** [N, H·D], assigned. */
  readonly o: View;
  /** The new tokens' fused qkv, [N, (H + 2K)·D]; only the q heads are read. */
  readonly q: View;
  readonly scale: number;
  /** The last keys that a token sees, its own included. Default: all. */
  readonly window?: number;
}

/** One workgroup per new token, in two dimensions of the grid. */
const newRows = { extent: 'rows', per: 1, most: MAX_GROUPS } as const;
const rowFolds = { extent: 'rows', per: MAX_GROUPS } as const;

/** Copies the k and v heads of the new rows to cache rows frame.past + n. Throws SHAPE_MISMATCH. */
export function cacheAppend(args: CacheAppendArgs): Dispatch {
  const { label, qkv, kCache, vCache, rows, heads, kvHeads, headDim, capacity } = args;
  const name = 'attention_cache_append';
  expectCache(name, args, qkv);
  const lane = laneSource(headDim);
  return dispatch(
    kernel(name, [lane.wgsl, cacheAppendWgsl], { HEAD_DIM: headDim }),
    label,
    { k_cache: kCache, v_cache: vCache, qkv },
    { rows, heads, kv_heads: kvHeads, capacity },
    [Math.ceil((2 * kvHeads * headDim) / lane.width / 64), newRows, rowFolds],
    { flops: {}, bytes: { rows: 16 * kvHeads * headDim } },
  );
}

/** o of the new rows over keys 0 … frame.past + n of the cache, or the last of them; run cacheAppend before it. Throws SHAPE_MISMATCH. */
export function attentionCached(args: AttentionCachedArgs): Dispatch {
  const { label, o, q, kCache, vCache, rows, heads, kvHeads, headDim, capacity, scale, window = 0xffffffff } = args;
  const name = 'attention_cached';
  const { outWidth } = expectCache(name, args, q);
  expectElements(name, 'o', o, rows * outWidth);
  return dispatch(
    kernel(name, [laneSource(headDim).wgsl, cachedWgsl], { HEAD_DIM: headDim, SPLIT: cachedSplit(headDim) }),
    label,
    { o, qkv: q, k_cache: kCache, v_cache: vCache },
    { rows, heads, kv_heads: kvHeads, capacity, scale, window },
    [newRows, heads, rowFolds],
    { flops: { pairs: 4 * outWidth }, bytes: { rows: 8 * outWidth, pairs: 8 * kvHeads * headDim } },
  );
}

function expectCache(name: string, args: CacheArgs, qkv: View): { outWidth: number } {
  const { kCache, vCache, rows, kvHeads, headDim, capacity } = args;
  const { width, outWidth } = headLayout(name, args);
  expectElements(name, 'qkv', qkv, rows * width);
  expectElements(name, 'k_cache', kCache, capacity * kvHeads * headDim);
  expectElements(name, 'v_cache', vCache, capacity * kvHeads * headDim);
  return { outWidth };
}

/** Invocations that share the keys of one query: as many as 32, as long as their parts fit in 16 KiB. */
export function cachedSplit(headDim: number): number {
  let split = 32;
  while (split > 1 && split * (headDim + 3) * 4 > 16384) split /= 2;
  return split;
}
