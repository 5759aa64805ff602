// The lock file that processes share: one holder at a time, and what a killed one leaves is no obstacle.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { takeLock, type LockHolder } from './lock';

const scratch = mkdtempSync(join(tmpdir(), 'lisa-lock-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const TIMES = { pollMs: 5, lifeMs: 10, silentMs: 200 };
let next = 0;
const fresh = (): string => join(scratch, `${next++}.lock`);

/** A process that is over. */
const deadPid = (): number => spawnSync(process.execPath, ['-e', '0']).pid;

test('one at a time, in whatever order; who waits hears of it once', async () => {
  const path = fresh();
  let [inside, most, waits] = [0, 0, 0];
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      const release = await takeLock(path, { times: TIMES, onWait: () => waits++ });
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setTimeout(resolve, 10));
      inside--;
      release();
    }),
  );
  expect([most, inside, existsSync(path)]).toEqual([1, 0, false]);
  expect(waits).toBe(7);
});

test('the file names the holder, and letting go takes away no other one’s lock', async () => {
  const path = fresh();
  const release = await takeLock(path);
  expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ pid: process.pid, host: hostname() });
  const other = JSON.stringify({ pid: process.pid, host: hostname(), mark: 'other' });
  writeFileSync(path, other);
  release();
  expect(readFileSync(path, 'utf8')).toBe(other);
});

test('a lock of a process that is gone is taken by one of those that wait', async () => {
  const path = fresh();
  writeFileSync(path, JSON.stringify({ pid: deadPid(), host: hostname(), mark: 'x' }));
  let inside = 0;
  await Promise.all(
    Array.from({ length: 5 }, async () => {
      const release = await takeLock(path, { times: TIMES });
      expect(++inside).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 3));
      inside--;
      release();
    }),
  );
  expect(existsSync(`${path}.clearing`)).toBe(false);
});

test('one of another machine, or that cannot be read, is waited for as long as it shows signs of life', async () => {
  for (const text of ['', JSON.stringify({ pid: 1, host: 'another', mark: 'x' })]) {
    const path = fresh();
    writeFileSync(path, text);
    let asked: LockHolder | null | undefined;
    const begun = performance.now();
    const alive = setInterval(() => writeFileSync(path, text), 20);
    setTimeout(() => clearInterval(alive), 400);
    const release = await takeLock(path, { times: TIMES, onWait: (holder) => (asked = holder) });
    expect(performance.now() - begun).toBeGreaterThan(550);
    expect(asked?.host).toBe(text === '' ? undefined : 'another');
    release();
  }
});

test('a holder’s own signs of life keep a lock from those who cannot look for its process; waiting ends with the signal', async () => {
  const path = fresh();
  const release = await takeLock(path, { times: TIMES });
  const before = readFileSync(path, 'utf8');
  // As another machine would see it.
  writeFileSync(path, before.replace(hostname(), 'another'));
  const stop = new AbortController();
  setTimeout(() => stop.abort(new Error('enough')), 500);
  await expect(takeLock(path, { times: TIMES, signal: stop.signal })).rejects.toThrow('enough');
  expect(existsSync(path)).toBe(true);
  release();
  expect(existsSync(path)).toBe(false);
});
