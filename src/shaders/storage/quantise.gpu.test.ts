// Weights into groups of 32 and back, against float64: every code, scales from far below a normal half to above the largest,
// groups of zeros, ties; the products and lookups that read them, against the same products over the widened values.

import { describe, expect, it } from 'vitest';
import { scratch } from '../../gpu/lab';
import { elementBytes, type Quantised, type View } from '../../dispatch/types';
import { randomArray, relativeError, relativeErrorL2, seededRandom } from '../../testing/compare';
import { nodeLab } from '../../testing/node-lab';
import { Inputs } from '../../testing/rowwise';
import { SLOW } from '../../testing/slow';
import { embeddingFwd } from '../embedding/embedding';
import { matmul, type MatmulFamily, type MatmulLayout } from '../matmul/matmul';
import { pack, unpack } from './storage';
import { dequantiseRef, GROUP, quantiseRef, readQuantised, squaredError } from './storage.ref';

const TYPES: readonly Quantised[] = ['int8', 'int4'];

const quantisedView = (name: string, elements: number, stored: Quantised): View => ({
  ...scratch(name, (elements * elementBytes({ stored })) / 4),
  stored,
});

const wordsOf = (got: Float32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> => new Uint32Array(got.buffer);

async function quantised(x: Float32Array<ArrayBuffer>, stored: Quantised): Promise<Uint32Array<ArrayBuffer>> {
  const lab = await nodeLab();
  const inputs = new Inputs();
  const y = quantisedView('y', x.length, stored);
  const [got] = await lab.run([pack({ label: 'test', y, x: inputs.f32('x', x), elements: x.length })], inputs.data, [y]);
  return wordsOf(got).slice(0, (x.length * elementBytes({ stored })) / 4);
}

/** Groups of every size that weights may have, and the awkward ones. */
function awkward(groups: number): Float32Array<ArrayBuffer> {
  const random = seededRandom(11);
  const x = new Float32Array(groups * GROUP);
  for (let at = 0; at < groups; at++) {
    const size = [1, 0.02, 1e-4, 1e-7, 1e-9, 30, 0, 1e3][at % 8];
    for (let i = 0; i < GROUP; i++) {
      const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
      x[at * GROUP + i] = size * (at % 3 === 2 ? Math.round(normal * 4) : normal);
    }
  }
  return x;
}

describe.each(TYPES)('%s', (stored) => {
  it('has the scales and codes of the reference, and is read back exactly as they say', async () => {
    const lab = await nodeLab();
    const x = awkward(64);
    const words = await quantised(x, stored);
    const got = readQuantised(words, x.length, stored);
    const want = quantiseRef(x, stored);
    // The reciprocal of the scale is f32: a value within rounding of the middle between two codes may take either, and of two
    // scales of equal error either may be chosen. What counts is that no group is worse than the reference's.
    let groups = 0;
    for (let at = 0; at < want.scales.length; at++) {
      const group = Array.from(x.subarray(at * GROUP, (at + 1) * GROUP));
      const [mine, theirs] = [squaredError(group, got.scales[at], stored), squaredError(group, want.scales[at], stored)];
      expect(mine, `group ${at}`).toBeLessThanOrEqual(theirs * (1 + 1e-5) + 1e-30);
      if (got.scales[at] === want.scales[at]) groups++;
      group.forEach((value, i) => {
        const off = Math.abs(value - got.codes[at * GROUP + i] * got.scales[at]);
        const nearest = Math.abs(value - want.codes[at * GROUP + i] * got.scales[at]);
        if (got.scales[at] === want.scales[at]) expect(off).toBeLessThanOrEqual(nearest * (1 + 1e-5) + 1e-12);
      });
    }
    expect(groups).toBeGreaterThan(want.scales.length * 0.95);
    const packed = quantisedView('packed', x.length, stored);
    const y = scratch('y', x.length);
    const [back] = await lab.run([unpack({ label: 'test', y, x: packed, elements: x.length })], new Map([[packed.buffer, words]]), [y]);
    expect([...back]).toEqual([...Float32Array.from(dequantiseRef(got))]);
    console.info(`storage_quantise ${stored}: ${groups} of ${want.scales.length} scales equal`);
  });

  it('says what it costs of normal weights', async () => {
    const random = seededRandom(5);
    const x = Float32Array.from({ length: 64 * 1024 }, () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()));
    const error = relativeErrorL2(dequantiseRef(readQuantised(await quantised(x, stored), x.length, stored)), x);
    console.info(`${stored}: relative error ${error.toFixed(5)} of normal weights`);
    expect(error).toBeLessThan(stored === 'int8' ? 0.0055 : 0.083);
    expect(error).toBeGreaterThan(stored === 'int8' ? 0.005 : 0.078);
  });

  it('is a fixed point: quantising what was read back changes no value', async () => {
    const once = dequantiseRef(readQuantised(await quantised(awkward(16), stored), 16 * GROUP, stored));
    const again = dequantiseRef(readQuantised(await quantised(Float32Array.from(once), stored), once.length, stored));
    // A group whose largest code is not used any more may choose another scale: int8's largest always is.
    if (stored === 'int8') expect(relativeError(again, once)).toBeLessThan(1e-3);
    else expect(relativeErrorL2(again, once)).toBeLessThan(0.05);
  });

  const [m, n, k] = [21, 96, 160];
  // Tiles take seconds to compile, and read operands through the same text.
  const families: readonly MatmulFamily[] = SLOW ? ['register', 'tiles'] : ['register'];
  for (const layout of ['nt', 'nn'] as const satisfies readonly MatmulLayout[]) {
    it.each(families)(`is read by a product, ${layout}, %s`, async (family) => {
      const lab = await nodeLab();
      const w = randomArray(n * k, 3);
      const words = await quantised(w, stored);
      const values = Float32Array.from(dequantiseRef(readQuantised(words, w.length, stored)));
      const inputs = new Inputs();
      const a = inputs.f32('a', randomArray(m * k, 4));
      const packed = quantisedView('b', w.length, stored);
      inputs.data.set(packed.buffer, words);
      const wide = inputs.f32('wide', values);
      for (const rows of [m, 2]) {
        const [y, z] = [scratch('y', rows * n), scratch('z', rows * n)];
        const sizes = { label: 'test', layout, a, m: rows, n, k, family } as const;
        const [got, want] = await lab.run([matmul({ ...sizes, y, b: packed }), matmul({ ...sizes, y: z, b: wide })], inputs.data, [y, z]);
        expect([...got]).toEqual([...want]);
      }
    });
  }

  it('is read by an embedding', async () => {
    const lab = await nodeLab();
    const [vocab, width, rows] = [20, 96, 7];
    const table = randomArray(vocab * width, 6);
    const words = await quantised(table, stored);
    const values = dequantiseRef(readQuantised(words, table.length, stored));
    const inputs = new Inputs();
    const ids = [3, 19, 0, 3, 7, 11, 1];
    const packed = quantisedView('table', table.length, stored);
    inputs.data.set(packed.buffer, words);
    const x = scratch('x', rows * width);
    const [got] = await lab.run(
      [embeddingFwd({ label: 'test', x, tokens: inputs.u32('tokens', ids), table: packed, rows, width })],
      inputs.data,
      [x],
    );
    const want = Float32Array.from(ids.flatMap((id) => [...values.subarray(id * width, (id + 1) * width)]));
    expect([...got.subarray(0, want.length)]).toEqual([...want]);
  });

  it('refuses sizes that are not whole blocks, and two packed sides', () => {
    const [x, y] = [scratch('x', 128), quantisedView('y', 128, stored)];
    expect(() => pack({ label: 'test', x, y, elements: 96 })).toThrow(/storage_quantise, elements: expected a multiple of 64/);
    expect(() => unpack({ label: 'test', x: y, y: x, elements: 32 })).toThrow(/storage_dequantise, elements/);
    expect(() => pack({ label: 'test', x, y, elements: 192 })).toThrow(/storage_quantise, y/);
    expect(() => pack({ label: 'test', x: y, y, elements: 64 })).toThrow(/storage_quantise, x: expected f32/);
  });
});
