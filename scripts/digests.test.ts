// The tiny models of digests.mjs: the same bytes from the same seed, in every dtype, as tensors that a loader can read.

import { expect, test } from 'vitest';
import { CASES, COMMON, MODELS } from './digests/cases.mjs';
import { safetensors } from './digests/models.mjs';

interface Header {
  [name: string]: { dtype: string; shape: number[]; data_offsets: [number, number] };
}

function read(file: Buffer): { header: Header; body: Buffer } {
  const length = Number(file.readBigUInt64LE(0));
  return { header: JSON.parse(file.toString('utf8', 8, 8 + length)) as Header, body: file.subarray(8 + length) };
}

/** The tensor's numbers, decoded by the definition of each format. */
function values(file: Buffer, name: string): number[] {
  const { header, body } = read(file);
  const { dtype, data_offsets } = header[name];
  const bytes = body.subarray(...data_offsets);
  const size = dtype === 'F32' ? 4 : 2;
  return Array.from({ length: bytes.length / size }, (_, i) => {
    if (dtype === 'F32') return bytes.readFloatLE(4 * i);
    const word = bytes.readUInt16LE(2 * i);
    const [fraction, bias] = dtype === 'F16' ? [10, 15] : [7, 127];
    const exponent = (word & 0x7fff) >> fraction;
    const size2 = (word & ((1 << fraction) - 1)) / 2 ** fraction;
    return (word & 0x8000 ? -1 : 1) * (exponent === 0 ? size2 * 2 ** (1 - bias) : (1 + size2) * 2 ** (exponent - bias));
  });
}

const tensors = [
  { name: 'w.weight', shape: [31, 7] },
  { name: 'a_norm.weight', shape: [9] },
];

test('the same seed gives the same bytes, another seed others', () => {
  expect(safetensors(tensors, 'F32', 5).equals(safetensors(tensors, 'F32', 5))).toBe(true);
  expect(safetensors(tensors, 'F32', 5).equals(safetensors(tensors, 'F32', 6))).toBe(false);
});

test('both 16-bit formats hold the same numbers, near those of f32, so nothing was rounded', () => {
  const [f32, f16, bf16] = (['F32', 'F16', 'BF16'] as const).map((dtype) => safetensors(tensors, dtype, 5));
  for (const [name, center, spread] of [
    ['w.weight', 0, 0.125],
    ['a_norm.weight', 1, 0.2],
  ] as const) {
    expect(values(f16, name)).toEqual(values(bf16, name));
    expect(Math.max(...values(f16, name).map((value, i) => Math.abs(value - values(f32, name)[i])))).toBeLessThan(0.02);
    for (const value of values(f32, name)) expect(Math.abs(value - center)).toBeLessThanOrEqual(spread);
    expect(new Set(values(f16, name)).size).toBeGreaterThan(5);
  }
});

test('tensors lie one after another to the end of the file', () => {
  for (const { description, dtype } of Object.values(MODELS)) {
    const { header, body } = read(safetensors(description.tensors, dtype, 1));
    let end = 0;
    for (const { name, shape } of description.tensors) {
      const size = shape.reduce((product, n) => product * n, dtype === 'F32' ? 4 : 2);
      expect(header[name].data_offsets).toEqual([end, end + size]);
      end += size;
    }
    expect(end).toBe(body.length);
  }
});

test('every method, sampler and way to store is trained, on every family', () => {
  const all = Object.values(CASES).map(({ model, options }): Record<string, string | undefined> => ({ model, ...COMMON, ...options }));
  const given = (name: string): Set<string | undefined> => new Set(all.map((options) => options[name]));
  expect(given('model')).toEqual(new Set(Object.keys(MODELS)));
  expect(given('method')).toEqual(new Set([undefined, 'full', 'lora']));
  expect(given('lisa-sampler')).toEqual(new Set([undefined, 'cycle', 'bernoulli', 'weighted']));
  expect(given('lisa-state')).toEqual(new Set([undefined, 'park']));
  expect(given('weights')).toEqual(new Set([undefined, 'f32', 'stored']));
  expect(all.every(({ warmup }) => warmup !== undefined)).toBe(true);
});
