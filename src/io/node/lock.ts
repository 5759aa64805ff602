// One process at a time in a shared directory: a lock file that names its holder, made with `wx`, which only one process can
// do. A killed holder leaves its file behind. The file is removed if its process is gone or, if the process cannot be looked
// for (another machine, an unreadable file), if it no longer shows a sign of life.

import { closeSync, openSync, readFileSync, statSync, unlinkSync, utimesSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';

export interface LockHolder {
  readonly pid: number;
  readonly host: string;
  /** Identifies this one acquisition, because a process may take the same lock again. */
  readonly mark: string;
}

interface LockTimes {
  /** Milliseconds between two attempts to take it. */
  readonly pollMs: number;
  /** Milliseconds between two signs of life of the holder. */
  readonly lifeMs: number;
  /** Milliseconds without a sign of life after which a holder that cannot be looked for counts as gone. */
  readonly silentMs: number;
}

const TIMES: LockTimes = { pollMs: 300, lifeMs: 5000, silentMs: 30_000 };

export interface LockOptions {
  /** Called once if another process holds it, with the holder (null if the file does not say). */
  readonly onWait?: (holder: LockHolder | null) => void;
  readonly signal?: AbortSignal;
  readonly times?: LockTimes;
}

/** Waits until this process has it, and returns a function that releases it. Throws the signal's reason, or the file system's error. */
export async function takeLock(path: string, { onWait, signal, times = TIMES }: LockOptions = {}): Promise<() => void> {
  const own: LockHolder = { pid: process.pid, host: hostname(), mark: crypto.randomUUID() };
  const watch = new Watch(path);
  for (let told = false; ;) {
    signal?.throwIfAborted();
    if (create(path, own)) return held(path, own, times);
    const silentMs = watch.look();
    if (silentMs === null) continue;
    const holder = readHolder(path);
    if (isGone(holder, silentMs, times) && clear(watch)) continue;
    if (!told && (holder || silentMs > 0)) {
      onWait?.(holder);
      told = true;
    }
    await new Promise((resolve) => setTimeout(resolve, times.pollMs));
  }
}

/** How long a lock is waited for whose holder cannot be looked for: longer than the silence after which it counts as gone. */
const TRY_MS = 35_000;

/**
 * As takeLock, but does not wait for a holder that lives: throws `inUse(holder)`. A holder on another machine is given up after it has been
 * silent; `onWait` is told that this is being waited for.
 */
export async function tryLock(
  path: string,
  inUse: (holder: LockHolder | null) => Error,
  onWait?: (holder: LockHolder | null) => void,
  { times = TIMES, tryMs = TRY_MS }: { readonly times?: LockTimes; readonly tryMs?: number } = {},
): Promise<() => void> {
  const stop = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  try {
    return await takeLock(path, {
      signal: stop.signal,
      times,
      onWait(holder) {
        if (holder?.host === hostname()) return stop.abort(inUse(holder));
        onWait?.(holder);
        timer = setTimeout(() => stop.abort(inUse(holder)), tryMs);
      },
    });
  } finally {
    clearTimeout(timer);
  }
}

/** Who holds it and lives; null if it is free or its holder is gone. A holder on another machine counts as alive. */
export function livingHolder(path: string): LockHolder | null {
  const holder = readHolder(path);
  return holder && !isGone(holder, 0, TIMES) ? holder : null;
}

function held(path: string, { mark }: LockHolder, { lifeMs }: LockTimes): () => void {
  const life = setInterval(() => {
    try {
      utimesSync(path, new Date(), new Date());
    } catch {
      // It was taken away by hand.
    }
  }, lifeMs);
  life.unref();
  return () => {
    clearInterval(life);
    if (readHolder(path)?.mark === mark) remove(path);
  };
}

function create(path: string, holder: LockHolder): boolean {
  let file: number;
  try {
    file = openSync(path, 'wx');
  } catch (thrown) {
    if (codeOf(thrown) === 'EEXIST') return false;
    throw thrown;
  }
  try {
    writeSync(file, JSON.stringify(holder));
    return true;
  } catch (thrown) {
    remove(path);
    throw thrown;
  } finally {
    closeSync(file);
  }
}

/** Null if there is none, if the file is being written, or if it is not ours. */
function readHolder(path: string): LockHolder | null {
  try {
    const { pid, host, mark } = JSON.parse(readFileSync(path, 'utf8')) as LockHolder;
    return Number.isSafeInteger(pid) && pid > 0 && typeof host === 'string' && typeof mark === 'string' ? { pid, host, mark } : null;
  } catch {
    return null;
  }
}

/** The file as a waiting process sees it. */
class Watch {
  #sign: string | null = null;
  #since = 0;

  constructor(readonly path: string) {}

  /** Milliseconds for which nothing has changed, by this process's own clock (others' may differ); null where there is no file. */
  look(): number | null {
    const now = performance.now();
    const sign = this.#now();
    if (sign !== this.#sign) [this.#sign, this.#since] = [sign, now];
    return sign === null ? null : now - this.#since;
  }

  isSame(): boolean {
    return this.#now() === this.#sign;
  }

  #now(): string | null {
    const stat = statSync(this.path, { throwIfNoEntry: false });
    return stat ? `${stat.ino} ${stat.mtimeMs}` : null;
  }
}

const isGone = (holder: LockHolder | null, silentMs: number, times: LockTimes): boolean =>
  holder?.host === hostname() ? !isAlive(holder.pid) : silentMs >= times.silentMs;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    // For another user's process we learn only that it exists.
    return codeOf(thrown) !== 'ESRCH';
  }
}

/** Milliseconds after which a clearing process counts as dead, because clearing never waits. */
const CLEARING_MS = 10_000;

/**
 * Removes the file of a holder that is gone; false if another process is doing so. Two processes may notice at once, and the
 * slower one must not remove the faster one's new lock. So only one clears at a time, and it looks again first.
 */
function clear(watch: Watch): boolean {
  const clearing = `${watch.path}.clearing`;
  if (!create(clearing, { pid: process.pid, host: hostname(), mark: '' })) {
    const stat = statSync(clearing, { throwIfNoEntry: false });
    if (stat && Date.now() - stat.mtimeMs > CLEARING_MS) remove(clearing);
    return false;
  }
  try {
    if (watch.isSame()) remove(watch.path);
  } finally {
    remove(clearing);
  }
  return true;
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch (thrown) {
    if (codeOf(thrown) !== 'ENOENT') throw thrown;
  }
}

const codeOf = (thrown: unknown): string => (thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '');
