import { expect, test } from 'vitest';
import { TabLock, untilFree } from './tab-lock';

/** LockManager as far as it is used: exclusive locks that are there or not. */
class FakeLocks {
  readonly held = new Set<string>();

  async request(name: string, _: LockOptions, use: (lock: Lock | null) => unknown): Promise<unknown> {
    if (this.held.has(name)) return use(null);
    this.held.add(name);
    try {
      return await use({ name, mode: 'exclusive' });
    } finally {
      this.held.delete(name);
    }
  }

  query(): Promise<LockManagerSnapshot> {
    return Promise.resolve({ held: [...this.held].map((name) => ({ name, mode: 'exclusive' as const, clientId: '' })), pending: [] });
  }
}

test('one of two tabs has it, until it lets go', async () => {
  const locks = new FakeLocks() as unknown as LockManager;
  const [one, two] = [new TabLock('run', locks), new TabLock('run', locks)];
  expect([await one.free(), await two.free()]).toEqual([true, true]);
  expect([await one.acquire(), await one.acquire(), await two.acquire()]).toEqual([true, true, false]);
  expect([await one.free(), await two.free()]).toEqual([true, false]);
  one.release();
  await Promise.resolve();
  expect(await two.acquire()).toBe(true);
  expect(await one.acquire()).toBe(false);
  let free = false;
  const waited = untilFree(one, 1).then(() => (free = true));
  await new Promise((resolve) => setTimeout(resolve, 10));
  expect(free).toBe(false);
  two.release();
  await waited;
  one.release();
});

test('another name is another lock, and without locks there is one tab', async () => {
  const locks = new FakeLocks() as unknown as LockManager;
  expect([await new TabLock('a', locks).acquire(), await new TabLock('b', locks).acquire()]).toEqual([true, true]);
  const alone = new TabLock('a', undefined);
  expect([await alone.free(), await alone.acquire()]).toEqual([true, true]);
});
