// One process at a time in what processes share: a lock file that says who holds it, made with `wx`, which one process alone can.
// A holder that is killed leaves its file: one whose process is gone, or that no longer shows a sign of life where the process
// cannot be looked for (another machine, a file that cannot be read), is taken away.

import { closeSync, openSync, readFileSync, statSync, unlinkSync, utimesSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';

export interface LockHolder {
  readonly pid: number;
  readonly host: string;
  /** Of this one taking: a process may take the same lock again. */
  readonly mark: string;
}

interface LockTimes {
  /** Between two attempts to take it. */
  readonly pollMs: number;
  /** Between two signs of life of the holder. */
  readonly lifeMs: number;
  /** Of watching a holder that cannot be looked for, without a sign of life, after which it counts as gone. */
  readonly silentMs: number;
}

const TIMES: LockTimes = { pollMs: 300, lifeMs: 5000, silentMs: 30_000 };

export interface LockOptions {
  /** Told once, where another holds it: who (null where the file does not say). */
  readonly onWait?: (holder: LockHolder | null) => void;
  readonly signal?: AbortSignal;
  readonly times?: LockTimes;
}

/** Waits until this process has it, and gives what lets it go. Throws the signal's reason, or what the file system refuses. */
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

/** Null where there is none, or the file is being written, or is none of ours. */
function readHolder(path: string): LockHolder | null {
  try {
    const { pid, host, mark } = JSON.parse(readFileSync(path, 'utf8')) as LockHolder;
    return Number.isSafeInteger(pid) && pid > 0 && typeof host === 'string' && typeof mark === 'string' ? { pid, host, mark } : null;
  } catch {
    return null;
  }
}

/** The file as one that waits sees it. */
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
    // Of another person's process we learn only that it is there.
    return codeOf(thrown) !== 'ESRCH';
  }
}

/** After which whoever was clearing has died at it: it takes no waiting. */
const CLEARING_MS = 10_000;

/**
 * Takes away the file of a holder that is gone; false where another is at that. Two may find it so at once, and the slower must not
 * take the faster one's new lock: one clears at a time, and looks again first.
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
