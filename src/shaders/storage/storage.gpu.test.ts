// Weights into and out of 16 bits: every code there is, and every tie, against arithmetic on values and against the
// host's own conversion.

import { describe, expect, it } from 'vitest';
import { scratch } from '../../gpu/lab';
import { nodeLab } from '../../testing/node-lab';
import { narrowFinite } from '../../base/half';
import type { BufferSpec, Half, View } from '../../dispatch/types';
import { seededRandom } from '../../testing/compare';
import { fill } from '../copy/fill';
import { pack, unpack } from './storage';
import { roundedRef, valueRef } from './storage.ref';

const TYPES: readonly Half[] = ['f16', 'bf16'];
const packedView = (name: string, count: number, stored: Half): View => ({ ...scratch(name, count / 2), stored });

const bitsOf = (values: Float32Array<ArrayBuffer>): Uint32Array => new Uint32Array(values.buffer, values.byteOffset, values.length);

async function packed(words: Uint32Array<ArrayBuffer>, stored: Half): Promise<Uint16Array> {
  const lab = await nodeLab();
  const x = scratch('x', words.length);
  const y = packedView('y', words.length, stored);
  const [got] = await lab.run([pack({ label: 'test', y, x, elements: words.length })], new Map([[x.buffer, words]]), [y]);
  return new Uint16Array(got.buffer).slice(0, words.length);
}

describe.each(TYPES)('%s', (stored) => {
  it('widens every code exactly, and packing gives the code back', async () => {
    const lab = await nodeLab();
    const codes = Uint16Array.from({ length: 65536 }, (_, code) => code);
    const words = new Uint32Array(codes.buffer);
    const x = packedView('x', codes.length, stored);
    const y = scratch('y', codes.length);
    const [got] = await lab.run([unpack({ label: 'test', y, x, elements: codes.length })], new Map([[x.buffer, words]]), [y]);
    const finite = [...codes].filter((code) => Number.isFinite(valueRef(code, stored)));
    expect(finite).toHaveLength(stored === 'f16' ? 65536 - 2048 : 65536 - 256);
    // As bits: −0 is not 0.
    const want = bitsOf(Float32Array.from(codes, (code) => valueRef(code, stored)));
    const wide = bitsOf(got);
    expect(finite.filter((code) => wide[code] !== want[code])).toEqual([]);
    const back = await packed(
      Uint32Array.from(codes, (code) => want[code]),
      stored,
    );
    expect(finite.filter((code) => back[code] !== code)).toEqual([]);
  });

  it('rounds to nearest even, subnormals included, and never to infinity', async () => {
    const random = seededRandom(3);
    const inputs: number[] = [0, -0, 65504, 65519.99, 65520, -65520, 1e30, 3.4e38, -3.4028234e38, Infinity, -Infinity, 2 ** -149, 2 ** -25];
    for (let code = 0; code < 0x7fff; code += code < 2048 || code % 1024 > 1000 ? 1 : 7) {
      const [a, b] = [valueRef(code, stored), valueRef(code + 1, stored)];
      if (!Number.isFinite(a + b)) continue;
      const middle = Math.fround((a + b) / 2);
      const [bits] = bitsOf(Float32Array.of(middle));
      const neighbours = new Float32Array(Uint32Array.of(Math.max(0, bits - 1), bits + 1).buffer);
      inputs.push(middle, -middle, ...neighbours);
    }
    for (let i = 0; i < 40_000; i++) {
      const [value] = new Float32Array(Uint32Array.of(random() * 2 ** 32).buffer);
      if (Number.isFinite(value)) inputs.push(value);
    }
    while (inputs.length % 4) inputs.push(1);
    const values = Float32Array.from(inputs);
    const got = await packed(bitsOf(values).slice(), stored);
    const wrong = [...values].filter((value, i) => !Object.is(valueRef(got[i], stored), roundedRef(value, stored)));
    expect(wrong).toEqual([]);
    expect(got).toEqual(narrowFinite(values, stored));
    console.info(`storage_pack ${stored}: ${values.length} values, all as in float64 arithmetic and as on the host`);
  });

  it('keeps NaN as NaN', async () => {
    const codes = await packed(Uint32Array.of(0x7fc00000, 0xffc00001, 0x7f800001, 0x7fffffff), stored);
    expect([...codes].map((code) => valueRef(code, stored))).toEqual([NaN, NaN, NaN, NaN]);
  });

  it('converts the last quad, leaves what lies behind alone, and goes past 65,535 workgroups', async () => {
    const lab = await nodeLab();
    const x = scratch('x', 12);
    const y = packedView('y', 16, stored);
    const data = new Map<BufferSpec, Uint32Array<ArrayBuffer>>([
      [x.buffer, bitsOf(Float32Array.from({ length: 12 }, (_, i) => i)).slice()],
      [y.buffer, new Uint32Array(8).fill(0xabcdabcd)],
    ]);
    const [got] = await lab.run([pack({ label: 'test', y, x, elements: 8 })], data, [y]);
    expect([...new Uint32Array(got.buffer)].slice(4)).toEqual(new Array<number>(4).fill(0xabcdabcd));
    const codes = new Uint16Array(got.buffer).slice();
    expect([...codes.subarray(0, 8)].map((code) => valueRef(code, stored))).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    const back = scratch('back', 12);
    const marked = new Map<BufferSpec, Uint32Array<ArrayBuffer>>([
      [y.buffer, new Uint32Array(codes.buffer)],
      [back.buffer, new Uint32Array(12).fill(0xabcdabcd)],
    ]);
    const [wide] = await lab.run([unpack({ label: 'test', y: back, x: y, elements: 8 })], marked, [back]);
    expect([...wide.subarray(0, 8)]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect([...bitsOf(wide)].slice(8)).toEqual(new Array<number>(4).fill(0xabcdabcd));
    const large = pack({ label: 'test', y: { ...y, bytes: 2 ** 28 }, x: { ...x, bytes: 2 ** 29 }, elements: 2 ** 27 });
    expect(large.grid).toEqual([65535, 3, 1]);
  });
});

describe('f32', () => {
  it('is copied bit for bit, NaN included, with odd ends', async () => {
    const lab = await nodeLab();
    const words = Uint32Array.of(0x7fa00001, 0x80000000, 1, 0xff800000, 0x3f800000, 7, 0, 0);
    for (const convert of [pack, unpack]) {
      const [x, y] = [scratch('x', 7), scratch('y', 7)];
      const [got] = await lab.run([convert({ label: 'test', y, x, elements: 7 })], new Map([[x.buffer, words]]), [y]);
      expect([...bitsOf(got)].slice(0, 7)).toEqual([...words].slice(0, 7));
    }
  });
});

it('refuses sizes that are not whole quads, views that are too small, and packed views where a kernel knows f32 only', () => {
  const [x, y] = [scratch('x', 8), packedView('y', 8, 'f16')];
  expect(() => pack({ label: 'test', x, y, elements: 6 })).toThrow(/storage_pack, elements/);
  expect(() => pack({ label: 'test', x, y, elements: 12 })).toThrow(/storage_pack, y/);
  expect(() => unpack({ label: 'test', y: x, x: y, elements: 12 })).toThrow(/storage_unpack, y/);
  expect(() => unpack({ label: 'test', y, x: y, elements: 8 })).toThrow(/storage_unpack, x/);
  expect(() => fill({ label: 'test', x: y, elements: 4, value: 0 })).toThrow(/fill, x: expected f32, got packed f16/);
});
