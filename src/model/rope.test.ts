import { expect, it } from 'vitest';
import { ropeFrequencies } from './rope';
import type { RopeScaling } from './types';

const theta = 5e5;
const headDim = 64;
const plain = ropeFrequencies({ theta, scaling: null }, headDim);

it('turns pair i by theta^(−2i / headDim) a position', () => {
  expect(plain).toHaveLength(32);
  expect([plain[0], plain[16]]).toEqual([1, 1 / Math.sqrt(theta)]);
});

it('linear scaling divides every frequency', () => {
  expect(Array.from(ropeFrequencies({ theta, scaling: { type: 'linear', factor: 2.5 } }, headDim))).toEqual(
    Array.from(plain, (frequency) => frequency / 2.5),
  );
});

it("llama3 scaling keeps short waves, divides long ones, and goes over between them (Llama 3.2's numbers)", () => {
  const scaling: RopeScaling = { type: 'llama3', factor: 32, lowFreqFactor: 1, highFreqFactor: 4, originalPositions: 8192 };
  const scaled = ropeFrequencies({ theta, scaling }, headDim);
  const seen = new Set<string>();
  plain.forEach((frequency, i) => {
    // As published: by wavelength against 8192 / 4 and 8192 / 1 positions.
    const wave = (2 * Math.PI) / frequency;
    const smooth = (8192 / wave - 1) / (4 - 1);
    const [kind, want] =
      wave < 2048
        ? ['short', frequency]
        : wave > 8192
          ? ['long', frequency / 32]
          : ['between', ((1 - smooth) * frequency) / 32 + smooth * frequency];
    seen.add(kind);
    expect(scaled[i] / want, `pair ${i}, ${kind}`).toBeCloseTo(1, 12);
  });
  expect([...seen]).toEqual(['short', 'between', 'long']);
});
