// The cache of models in a directory, for the command line: one folder per model. By default it is where the system keeps
// caches (XDG_CACHE_HOME, ~/.cache; https://specifications.freedesktop.org/basedir-spec/latest/).

import { mkdir, open, readdir, readFile, rename, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import type { StorageEstimate } from '../hub/types';
import { AppError } from '../../base/errors';
import type { Appender, CacheFolder, CacheRoot } from '../hub/model-cache';
import { takeLock } from './lock';

const codeOf = (thrown: unknown): string => (thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '');
const isMissing = (thrown: unknown): boolean => codeOf(thrown) === 'ENOENT';

/** `env`: of the process. */
export function defaultCacheDir(env: Readonly<Record<string, string | undefined>>): string {
  // A relative path in that variable is to be ignored.
  const base = env.XDG_CACHE_HOME !== undefined && isAbsolute(env.XDG_CACHE_HOME) ? env.XDG_CACHE_HOME : join(homedir(), '.cache');
  return join(base, 'lisa-studio', 'models');
}

export class NodeModels implements CacheRoot {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async folders(): Promise<string[]> {
    const entries = await readdir(this.#directory, { withFileTypes: true }).catch((thrown: unknown) => {
      if (isMissing(thrown)) return [];
      throw thrown;
    });
    return entries
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      .sort();
  }

  async open(name: string, create: boolean): Promise<CacheFolder | null> {
    const path = join(this.#directory, name);
    if (create) await mkdir(path, { recursive: true });
    else if (!(await stat(path).catch(() => null))?.isDirectory()) return null;
    return new NodeModelFolder(path);
  }

  async remove(name: string): Promise<void> {
    await rm(join(this.#directory, name), { recursive: true, force: true });
  }

  async estimate(): Promise<StorageEstimate> {
    // The free space of the nearest existing parent directory.
    for (let path = this.#directory, up = ''; path !== up; up = path, path = join(path, '..')) {
      const disk = await statfs(path).catch(() => null);
      if (disk) return { usage: (disk.blocks - disk.bavail) * disk.bsize, quota: disk.blocks * disk.bsize, persisted: true };
    }
    return { usage: null, quota: null, persisted: true };
  }

  async claim(name: string, what: string, onWait?: (why: string) => void, signal?: AbortSignal): Promise<() => void> {
    await mkdir(this.#directory, { recursive: true });
    const path = join(this.#directory, `${name}.lock`);
    return takeLock(path, {
      signal,
      onWait: (holder) =>
        onWait?.(
          `Another process ${holder ? `(${holder.pid} on ${holder.host}) ` : ''}downloads ${what} to ${this.#directory}; this one waits for it. If there is none, delete ${path}.`,
        ),
    });
  }

  async fault(cause: unknown, what: string, bytes: number): Promise<unknown> {
    if (cause instanceof AppError || codeOf(cause) === '') return cause;
    const { quota, usage } = await this.estimate();
    const full = ['ENOSPC', 'EDQUOT'].includes(codeOf(cause));
    const free = quota !== null && usage !== null ? ` ${((quota - usage) / 1e6).toFixed(1)} MB are free.` : '';
    return new AppError(
      'STORAGE',
      full
        ? `${this.#directory} has no space for ${what} (${(bytes / 1e6).toFixed(1)} MB).${free}`
        : `${what} cannot be stored in ${this.#directory}: ${(cause as Error).message}.`,
      'Free some space, or choose another --cache-dir. The partial download is kept.',
      { cause },
    );
  }
}

class NodeModelFolder implements CacheFolder {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async text(name: string): Promise<string | null> {
    return readFile(join(this.#path, name), 'utf8').catch((thrown: unknown) => {
      if (isMissing(thrown)) return null;
      throw thrown;
    });
  }

  async replace(name: string, text: string): Promise<void> {
    const fresh = join(this.#path, `${name}.${process.pid}.tmp`);
    await writeFile(fresh, text, { flush: true });
    await rename(fresh, join(this.#path, name));
  }

  async size(name: string): Promise<number> {
    return (await stat(join(this.#path, name)).catch(() => null))?.size ?? 0;
  }

  async read(name: string, start: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    const file = await open(join(this.#path, name));
    try {
      const bytes = new Uint8Array(end - start);
      let filled = 0;
      while (filled < bytes.byteLength) {
        const { bytesRead } = await file.read(bytes, filled, Math.min(2 ** 30, bytes.byteLength - filled), start + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return bytes.subarray(0, filled);
    } finally {
      await file.close();
    }
  }

  async append(name: string, at: number): Promise<Appender> {
    const file = await open(join(this.#path, name), 'a');
    await file.truncate(at);
    return {
      async write(bytes) {
        for (let done = 0; done < bytes.byteLength;) done += (await file.write(bytes, done)).bytesWritten;
      },
      async close() {
        try {
          await file.sync();
        } finally {
          await file.close();
        }
      },
    };
  }
}
