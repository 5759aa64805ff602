// Against node:crypto: every length around a block's end, in pieces of every size, and a long stream with its speed.

import { createHash, randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { Sha256 } from './sha256';

const theirs = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

function ours(bytes: Uint8Array, piece: number): string {
  const hash = new Sha256();
  for (let at = 0; at < bytes.byteLength; at += piece) hash.update(bytes.subarray(at, at + piece));
  return hash.hex();
}

test('equals node:crypto for 0 to 300 bytes, in pieces of 1, 63, 64, 65 bytes and at once', () => {
  for (let length = 0; length <= 300; length++) {
    const bytes = randomBytes(length);
    const expected = theirs(bytes);
    for (const piece of [1, 63, 64, 65, 1000]) expect(ours(bytes, piece)).toBe(expected);
  }
});

test('equals node:crypto for 32 MiB in uneven pieces', () => {
  const bytes = randomBytes(32 * 2 ** 20);
  const started = performance.now();
  const hex = ours(bytes, 65_521);
  const seconds = (performance.now() - started) / 1000;
  console.log(`sha256: ${(bytes.byteLength / 1e6 / seconds).toFixed(0)} MB/s`);
  expect(hex).toBe(theirs(bytes));
});
