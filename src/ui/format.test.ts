import { describe, expect, it } from 'vitest';
import {
  formatByteTick,
  formatBytes,
  formatCount,
  formatDuration,
  formatExactBytes,
  formatLarge,
  formatList,
  formatMs,
  formatRate,
  formatRoughly,
  plural,
} from './format';

describe('formatBytes', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [999_400, '999 kB'],
    [999_600, '1.00 MB'],
    [31_240_000, '31.2 MB'],
    [528_900_000, '529 MB'],
    [999_940_000, '1.00 GB'],
    [7_900_000_000, '7.90 GB'],
  ])('%d bytes', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  it('shows a dash, never NaN', () => {
    expect(formatBytes(NaN)).toBe('–');
    expect(formatBytes(Infinity)).toBe('–');
  });

  it('has no noise on an axis', () => {
    expect([0, 20e6, 2.5e9, 10e9, 100e6, 7.25e9].map(formatByteTick)).toEqual(['0', '20 MB', '2.5 GB', '10 GB', '100 MB', '7.25 GB']);
  });

  it('keeps every digit in the exact form', () => expect(formatExactBytes(31_240_017)).toBe('31,240,017 bytes'));
});

it('formats rates without losing digits to zeros', () => {
  expect(formatRate(5e-4)).toBe('0.0005');
  expect(formatRate(5e-4 / 3)).toBe('1.67e-4');
  expect(formatRate(2e-6)).toBe('2e-6');
  expect(formatRate(0)).toBe('0');
});

it('formats durations in two units', () => {
  expect(formatDuration(8_400)).toBe('8 s');
  expect(formatDuration(200_000)).toBe('3 min 20 s');
  expect(formatDuration(7_500_000)).toBe('2 h 5 min');
  expect(formatDuration(NaN)).toBe('–');
  expect([12_300, 59_700, 840_000, 7_100_000, 7_300_000].map(formatRoughly)).toEqual(['12 s', '1 min', '14 min', '118 min', '2 h']);
});

it('formats counts, large numbers, step times and lists', () => {
  expect(formatCount(1234567)).toBe('1,234,567');
  expect(formatLarge(494_032_768)).toBe('494 M');
  expect(formatLarge(12)).toBe('12');
  expect(formatMs(12.34)).toBe('12.3 ms');
  expect(formatMs(1234)).toBe('1,234 ms');
  expect(formatMs(12_340)).toBe('12.3 s');
  expect(formatList([0, 3, 7])).toBe('0, 3 and 7');
  expect(formatList([4])).toBe('4');
  expect(formatList([])).toBe('none');
  expect(plural(1, 'layer')).toBe('1 layer');
  expect(plural(2, 'layer')).toBe('2 layers');
});
