import { expect, test } from 'vitest';
import type { ParameterRow } from '../model/types';
import { TensorDigests } from './fingerprint';

const rowOf = (elements: number): ParameterRow => ({ name: 'w', shape: [elements] }) as unknown as ParameterRow;
const values = (count: number, salt: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(i + salt));

test('a digest of pieces equals that of the whole, however it is cut', () => {
  const sizes = [5000, 1, 256, 3];
  const whole = new TensorDigests();
  const pieces = new TensorDigests();
  for (const [salt, size] of sizes.entries()) {
    const data = values(size, salt);
    whole.add({ row: rowOf(size), start: 0, data });
    for (let start = 0, length = 1; start < size; start += length, length *= 3)
      pieces.add({ row: rowOf(size), start, data: data.slice(start, start + length) });
  }
  expect(pieces.all).toEqual(whole.all);
  expect(whole.all.length).toBe(sizes.length);
  expect(new Set(whole.all).size).toBe(sizes.length);
});

test('it changes with every value that it looks at', () => {
  const digest = (data: Float32Array<ArrayBuffer>): readonly number[] => {
    const digests = new TensorDigests();
    digests.add({ row: rowOf(data.length), start: 0, data });
    return digests.all;
  };
  const data = values(1000, 7);
  const before = digest(data);
  data[0] += 1e-7;
  expect(digest(data)).not.toEqual(before);
});
