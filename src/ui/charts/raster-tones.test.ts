import { describe, expect, it } from 'vitest';
import { ageLegend, ageTone, changeBounds, changeLegend, changeTone, formatChange } from './raster-tones';

describe('update size', () => {
  it('five tones a factor of about three apart; the largest value has the strongest', () => {
    expect(changeBounds(0.011)).toEqual([3e-4, 1e-3, 3e-3, 1e-2]);
    for (const largest of [2e-6, 4e-5, 0.0099, 0.01, 0.02, 0.9, 25]) {
      const bounds = changeBounds(largest);
      expect(bounds).toHaveLength(4);
      expect(bounds).toEqual([...bounds].sort((a, b) => a - b));
      if (largest > 3e-5) expect(changeTone(largest, bounds), String(largest)).toBe(5);
    }
  });

  it('tones ascend, and what is not measured has none', () => {
    const bounds = changeBounds(0.02);
    const tones = [1e-5, 5e-4, 2e-3, 5e-3, 0.02].map((change) => changeTone(change, bounds));
    expect(tones).toEqual([1, 2, 3, 4, 5]);
    expect(changeTone(NaN, bounds)).toBe(0);
  });

  it('the scale is told in numbers', () => {
    expect(changeLegend(changeBounds(0.02)).map(({ text }) => text)).toEqual(['up to 0.03 %', 'to 0.1 %', 'to 0.3 %', 'to 1 %', 'more']);
    expect([0.00821, 0.0112, 0.00003, NaN].map(formatChange)).toEqual(['0.82 %', '1.1 %', '0.003 %', '–']);
  });
});

describe('age', () => {
  it('is strongest while training and nothing for a layer that was never trained', () => {
    expect([0, 1, 2, 3, 4, 9, 10, 5000, -1].map(ageTone)).toEqual([5, 4, 3, 3, 2, 2, 1, 1, 0]);
  });

  it('is told in steps', () => {
    expect(ageLegend(5).map(({ text }) => text)).toEqual(['training', 'up to 5 steps', 'up to 15 steps', 'up to 45 steps', 'longer']);
    expect(ageLegend(1)[1].text).toBe('up to 1 step');
  });
});
