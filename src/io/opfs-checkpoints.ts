// Checkpoints in the browser's private file system (OPFS), from a worker. Two files take turns, and a small pointer
// that is replaced atomically when its stream closes says which one is whole, so a crash at any moment leaves the
// old checkpoint or the new one.

import { AppError } from '../errors';
import type { CheckpointReader, CheckpointStore } from '../train/checkpoint';
import type { SafetensorsFile } from './safetensors';

const POINTER = 'latest.json';
const FILES = ['a.safetensors', 'b.safetensors'] as const;

export class OpfsCheckpoints implements CheckpointStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async write(_step: number, file: SafetensorsFile): Promise<void> {
    try {
      const directory = await this.#directory(true);
      const current = await this.#current(directory);
      const name = current === FILES[0] ? FILES[1] : FILES[0];
      const handle = await (await directory.getFileHandle(name, { create: true })).createSyncAccessHandle();
      try {
        handle.truncate(0);
        let at = 0;
        for await (const chunk of file.chunks()) at += handle.write(chunk, { at });
        if (at !== file.size) throw new Error('the file system took fewer bytes than it was given');
        handle.flush();
      } finally {
        handle.close();
      }
      const pointer = await (await directory.getFileHandle(POINTER, { create: true })).createWritable();
      await pointer.write(JSON.stringify({ file: name }));
      await pointer.close();
    } catch (cause) {
      if (cause instanceof AppError) throw cause;
      const full = cause instanceof DOMException && cause.name === 'QuotaExceededError';
      throw new AppError(
        'STORAGE',
        full
          ? `The browser has no room for a checkpoint of ${(file.size / 1e6).toFixed(1)} MB.`
          : `The checkpoint could not be written: ${(cause as Error).message}`,
        'Free some disk space for this site, or train without checkpoints (0 in "Save every").',
        { cause },
      );
    }
  }

  async open(): Promise<CheckpointReader | null> {
    let file: File;
    try {
      const directory = await this.#directory(false);
      const name = await this.#current(directory);
      if (!name) return null;
      file = await (await directory.getFileHandle(name)).getFile();
    } catch {
      return null;
    }
    return { size: file.size, read: async (start, end) => new Uint8Array(await file.slice(start, end).arrayBuffer()) };
  }

  async clear(): Promise<void> {
    const root = await navigator.storage.getDirectory();
    await root.removeEntry(this.#folder, { recursive: true }).catch(() => undefined);
  }

  async #directory(create: boolean): Promise<FileSystemDirectoryHandle> {
    return (await navigator.storage.getDirectory()).getDirectoryHandle(this.#folder, { create });
  }

  async #current(directory: FileSystemDirectoryHandle): Promise<string | null> {
    try {
      const text = await (await (await directory.getFileHandle(POINTER)).getFile()).text();
      return FILES.find((name) => text.includes(`"${name}"`)) ?? null;
    } catch {
      return null;
    }
  }
}
