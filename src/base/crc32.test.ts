import { crc32 as oracle } from 'node:zlib';
import { expect, it } from 'vitest';
import { crc32 } from './crc32';

it('agrees with zlib, whole and in pieces', () => {
  expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926);
  expect(crc32(new Uint8Array())).toBe(0);
  const bytes = Uint8Array.from({ length: 5000 }, (_, i) => (i * 31 + (i >> 3)) & 255);
  expect(crc32(bytes)).toBe(oracle(bytes));
  for (const cut of [0, 1, 777, 5000]) expect(crc32(bytes.subarray(cut), crc32(bytes.subarray(0, cut)))).toBe(oracle(bytes));
});
