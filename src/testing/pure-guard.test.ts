// The guard of pure tests bites, also where what it throws is caught.

import { spawnSync } from 'node:child_process';
import { afterEach, expect, test } from 'vitest';
import { nodeGpu } from '../gpu/node';
import { refused } from './pure-guard';

const told: (string | undefined)[] = [];
// Before the guard's own hook looks, or these tests would fail as any other that does what they do.
afterEach(() => void told.push(refused()));

test('a device', async () => {
  await nodeGpu().catch(() => undefined);
});

test('a program', () => {
  expect(() => spawnSync('true')).toThrow('spawnSync');
});

test('both were noticed, and the name of the file that may do it', () => {
  expect(told).toEqual([expect.stringMatching(/^A device .*\*\.gpu\.test\.ts/), expect.stringContaining('*.process.test.ts')]);
});
