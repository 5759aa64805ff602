import { describe, expect, it } from 'vitest';
import { decimate } from './decimate';

describe('decimate', () => {
  it('keeps everything that fits', () => {
    expect(decimate([], 10)).toEqual([]);
    expect(decimate([3, 1, 2], 10)).toEqual([0, 1, 2]);
  });

  it('stays within the limit, in order, with both ends', () => {
    const values = Float64Array.from({ length: 12_345 }, (_, i) => Math.sin(i) + i / 1e4);
    const kept = decimate(values, 800);
    expect(kept.length).toBeLessThanOrEqual(800);
    expect(kept.length).toBeGreaterThan(700);
    expect(kept[0]).toBe(0);
    expect(kept.at(-1)).toBe(12_344);
    kept.forEach((index, i) => i > 0 && expect(index).toBeGreaterThan(kept[i - 1]));
  });

  it('keeps a spike of one step, up or down, wherever it is', () => {
    for (const at of [1, 777, 4998]) {
      const up = new Float64Array(5000);
      up[at] = 9;
      expect(decimate(up, 100)).toContain(at);
      const down = new Float64Array(5000);
      down[at] = -9;
      expect(decimate(down, 100)).toContain(at);
    }
  });

  it('keeps a value that is no number', () => {
    const values = new Float64Array(5000);
    values[1234] = NaN;
    expect(decimate(values, 100)).toContain(1234);
  });
});
