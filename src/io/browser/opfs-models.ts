// The cache of models in the browser's private file system, from a worker: one folder per model, in one common folder.

import type { StorageEstimate } from '../hub/types';
import { AppError } from '../../base/errors';
import { measuredQuota } from '../../base/quota';
import type { Appender, CacheFolder, CacheRoot } from '../hub/model-cache';
import { openFolder, removeFrom, storageError, writeWhole, type BrowserStorage } from './opfs-folder';
import { TabLock } from './tab-lock';

type Bytes = Uint8Array<ArrayBuffer>;

const isMissing = (thrown: unknown): boolean => thrown instanceof DOMException && thrown.name === 'NotFoundError';

export class OpfsModels implements CacheRoot {
  readonly #folder: string;
  readonly #storage: BrowserStorage & Partial<Pick<StorageManager, 'persisted'>>;

  constructor(folder: string, storage: BrowserStorage & Partial<Pick<StorageManager, 'persisted'>> = navigator.storage) {
    this.#folder = folder;
    this.#storage = storage;
  }

  async folders(): Promise<string[]> {
    const names: string[] = [];
    for await (const name of (await openFolder(this.#storage, [this.#folder], true)).keys()) names.push(name);
    return names.sort();
  }

  async open(name: string, create: boolean): Promise<CacheFolder | null> {
    try {
      return new OpfsModelFolder(await openFolder(this.#storage, [this.#folder, name], create));
    } catch (thrown) {
      if (!create && isMissing(thrown)) return null;
      throw thrown;
    }
  }

  async remove(name: string): Promise<void> {
    await removeFrom(await openFolder(this.#storage, [this.#folder], true), name);
  }

  async estimate(): Promise<StorageEstimate> {
    const estimate = await this.#storage.estimate().catch((): StorageEstimateOf => ({}));
    return {
      usage: estimate.usage ?? null,
      quota: measuredQuota(estimate),
      persisted: (await this.#storage.persisted?.().catch(() => false)) ?? false,
    };
  }

  async claim(name: string, what: string): Promise<() => void> {
    const lock = new TabLock(`lisa-studio-model ${name}`);
    if (!(await lock.acquire())) throw otherTab(what);
    return () => lock.release();
  }

  async fault(cause: unknown, what: string, bytes: number): Promise<unknown> {
    if (!(cause instanceof DOMException)) return cause;
    if (cause.name === 'NoModificationAllowedError') return otherTab(what, cause);
    const { detail } = await storageError(this.#storage, cause, what, bytes);
    return new AppError('STORAGE', detail, 'Free disk space, or delete a stored model. The partial download is kept.', { cause });
  }
}

const otherTab = (what: string, cause?: unknown): AppError =>
  new AppError('STORAGE', `${what} is being downloaded in another tab.`, 'Finish or pause the download there.', { cause });

type StorageEstimateOf = Awaited<ReturnType<StorageManager['estimate']>>;

class OpfsModelFolder implements CacheFolder {
  readonly #folder: FileSystemDirectoryHandle;

  constructor(folder: FileSystemDirectoryHandle) {
    this.#folder = folder;
  }

  async text(name: string): Promise<string | null> {
    return (await this.#file(name))?.text() ?? null;
  }

  replace(name: string, text: string): Promise<void> {
    return writeWhole(this.#folder, name, text);
  }

  async size(name: string): Promise<number> {
    return (await this.#file(name))?.size ?? 0;
  }

  async read(name: string, start: number, end: number): Promise<Bytes> {
    const file = await this.#file(name);
    return new Uint8Array((await file?.slice(start, end).arrayBuffer()) ?? new ArrayBuffer());
  }

  async append(name: string, at: number): Promise<Appender> {
    const handle = await (await this.#folder.getFileHandle(name, { create: true })).createSyncAccessHandle();
    handle.truncate(at);
    let end = at;
    return {
      write(bytes) {
        const written = handle.write(bytes, { at: end });
        end += written;
        if (written === bytes.byteLength) return Promise.resolve();
        return Promise.reject(new DOMException('Fewer bytes were taken than given.', 'QuotaExceededError'));
      },
      // An open handle would keep every tab, including this one, from continuing the file.
      // oxlint-disable-next-line typescript/require-await
      async close() {
        try {
          handle.flush();
        } finally {
          handle.close();
        }
      },
    };
  }

  async #file(name: string): Promise<File | null> {
    try {
      return await (await this.#folder.getFileHandle(name)).getFile();
    } catch (thrown) {
      if (isMissing(thrown)) return null;
      throw thrown;
    }
  }
}
