// The tiles of family 'tiles', and which one fits a product. Every tile computes a sum as one chain over k, so that the choice changes no
// bits, whoever makes it: sizes here, or times (engine/tune.ts).

/** Rows and columns of y that a workgroup owns. */
export type MatmulTile = '128x64' | '64x64' | '32x32';

/** Constants of matmul_tiles.wgsl: rows and columns of a workgroup, rows of an invocation (by 4 columns). */
export const TILES: Readonly<Record<MatmulTile, { readonly BM: number; readonly BN: number; readonly ROWS: 4 | 8 }>> = {
  '128x64': { BM: 128, BN: 64, ROWS: 8 },
  '64x64': { BM: 64, BN: 64, ROWS: 8 },
  '32x32': { BM: 32, BN: 32, ROWS: 4 },
};

/** Invocations that fill most graphics cards. */
const FILLING_THREADS = 25_000;

/** Invocations of a product [m, n] in one part. */
function tileThreads(tile: MatmulTile, m: number, n: number): number {
  const { BM, BN, ROWS } = TILES[tile];
  return Math.ceil(m / BM) * Math.ceil(n / BN) * ((BM / ROWS) * (BN / 4));
}

/** The largest tile that fills a card; else the smallest, which has the most invocations. */
export const tileFor = (m: number, n: number): MatmulTile =>
  (['128x64', '64x64'] as const).find((tile) => tileThreads(tile, m, n) >= FILLING_THREADS) ?? '32x32';

/** Parts of a sum that are worth another pass: at least so many terms each. */
const LEAST_TERMS = 512;
const MOST_PARTS = 16;

/**
 * Into how many parts a sum over k is cut where the output alone would leave a card idle: 1 is not cut. Of sizes alone, because the order
 * of the sum depends on it.
 */
export function partsFor(m: number, n: number, k: number): number {
  const threads = tileThreads('64x64', m, n);
  return Math.max(1, Math.min(Math.ceil(FILLING_THREADS / threads), Math.floor(k / LEAST_TERMS), MOST_PARTS));
}
