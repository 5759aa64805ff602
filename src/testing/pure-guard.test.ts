// The guard of pure tests works even if its error is caught.

import { spawnSync } from 'node:child_process';
import { afterEach, expect, test } from 'vitest';
import { nodeGpu } from '../gpu/node';
import { refused } from './pure-guard';

const told: (string | undefined)[] = [];
// This runs before the guard's own hook, which would otherwise fail these tests like any other that does the same.
afterEach(() => void told.push(refused()));

test('a device', async () => {
  await nodeGpu().catch(() => undefined);
});

test('a program', () => {
  expect(() => spawnSync('true')).toThrow('spawnSync');
});

test('both were noticed, and the error names the file suffix that allows it', () => {
  expect(told).toEqual([expect.stringMatching(/^A device .*\*\.gpu\.test\.ts/), expect.stringContaining('*.process.test.ts')]);
});
