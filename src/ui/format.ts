// Numbers as text. Bytes in powers of ten (MB = 10^6), as memory bars and file managers show them.

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

export const formatCount = (value: number): string => (Number.isFinite(value) ? grouped.format(value) : '–');

/** Three significant digits at most, without trailing noise: 31.2, 1,240, 0.482. */
function threeDigits(value: number): string {
  if (value >= 100) return grouped.format(Math.round(value));
  return value.toFixed(value >= 10 ? 1 : 2);
}

const BYTE_UNITS = [
  [1e9, 'GB'],
  [1e6, 'MB'],
  [1e3, 'kB'],
] as const;

export function formatBytes(bytes: number): string {
  if (!Number.isFinite(bytes)) return '–';
  // 999,950 bytes would round up to "1,000 kB": move on to the next unit a little early.
  for (const [size, unit] of BYTE_UNITS) if (bytes >= size * 0.9995) return `${threeDigits(bytes / size)} ${unit}`;
  return `${formatCount(bytes)} B`;
}

export interface ByteUnit {
  readonly name: string;
  readonly size: number;
}

/** The unit that formatBytes uses for this many bytes. */
export function unitOf(bytes: number): ByteUnit {
  const [size, name] = BYTE_UNITS.find(([unit]) => bytes >= unit * 0.9995) ?? [1, 'B'];
  return { name, size };
}

/** Bytes in a unit that is shared with the numbers beside them: 6.96, 0.48. */
export const formatInUnit = (bytes: number, { size }: ByteUnit): string =>
  bytes === 0 || size === 1 ? formatCount(bytes) : threeDigits(bytes / size);

/** Round bytes on an axis: 20 MB, 2.5 GB. */
export const formatByteTick = (bytes: number): string =>
  bytes === 0
    ? '0'
    : formatBytes(bytes)
        .replace(/(\.\d*?)0+ /, '$1 ')
        .replace('. ', ' ');

/** Every byte, for tooltips. */
export const formatExactBytes = (bytes: number): string => `${formatCount(bytes)} bytes`;

const SCALES = [
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
] as const;

/** 1.74 M, 494 M, 2.31 G. */
export function formatLarge(value: number): string {
  if (!Number.isFinite(value)) return '–';
  for (const [size, unit] of SCALES) if (value >= size * 0.9995) return `${threeDigits(value / size)} ${unit}`;
  return grouped.format(value);
}

export const formatLoss = (loss: number): string => (Number.isFinite(loss) ? loss.toFixed(3) : '–');

export const formatPercent = (share: number): string => (Number.isFinite(share) ? `${Math.round(share * 100)} %` : '–');

/** 0.0005, 2e-6, 1.67e-4: plain where short. */
export function formatRate(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const rounded = Number(value.toPrecision(3));
  const plain = String(rounded);
  return plain.length <= 7 ? plain : rounded.toExponential().replace('e+', 'e');
}

/** 8 s, 3 min 20 s, 2 h 5 min. */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms) || ms < 0) return '–';
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** The same, rounded to its largest unit: 40 s, 14 min, 2 h. */
export function formatRoughly(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (ms < 59_500) return `${Math.round(ms / 1000)} s`;
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}

export function formatMs(ms: number): string {
  if (!Number.isFinite(ms)) return '–';
  if (ms >= 10_000) return `${(ms / 1000).toFixed(1)} s`;
  return ms >= 100 ? `${grouped.format(ms)} ms` : `${ms.toFixed(1)} ms`;
}

/** "1 layer", "2 layers". */
export const plural = (count: number, one: string, many = `${one}s`): string => `${formatCount(count)} ${count === 1 ? one : many}`;

/** 0, 3 and 7. */
export function formatList(items: readonly (string | number)[]): string {
  if (items.length < 2) return String(items[0] ?? 'none');
  return `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
}
