// How long rows are: three numbers, and a histogram whose bins have round widths.

export interface LengthStats {
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
}

/** Median, 95th percentile (nearest rank) and largest; zeros for no lengths. */
export function lengthStats(lengths: ArrayLike<number>): LengthStats {
  const sorted = Float64Array.from(lengths).sort();
  const rank = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return { p50: rank(0.5), p95: rank(0.95), max: rank(1) };
}

export interface Histogram {
  /** Bin i counts lengths in [i·width, (i + 1)·width). */
  readonly bins: readonly number[];
  readonly width: number;
  /** Lengths past the last bin, so that a few very long rows do not squeeze all others into the first bin. */
  readonly beyond: number;
}

const BINS = 24;

/** Bins up to the longest row or, if that is far out, up to twice the 95th percentile. `mark` is always on the axis. */
export function lengthHistogram(lengths: ArrayLike<number>, mark: number): Histogram {
  const { p95, max } = lengthStats(lengths);
  const end = Math.max(Math.min(max, 2 * p95), Math.min(mark, 8 * max)) + 1;
  const width = roundWidth(end / BINS);
  const bins = new Array<number>(Math.max(1, Math.ceil(end / width))).fill(0);
  let beyond = 0;
  for (let i = 0; i < lengths.length; i++) {
    const length = lengths[i];
    const bin = Math.floor(length / width);
    if (bin < bins.length) bins[bin]++;
    else beyond++;
  }
  return { bins, width, beyond };
}

/** The next of 1, 2, 5, 10, 20, 50 … */
function roundWidth(least: number): number {
  for (let power = 1; ; power *= 10) {
    for (const digit of [1, 2, 5]) if (digit * power >= least) return digit * power;
  }
}
