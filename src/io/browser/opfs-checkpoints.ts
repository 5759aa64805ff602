// Checkpoints in the browser's private file system, from a worker. Two files take turns. A small pointer, replaced in one
// piece, says which one is complete, so a crash at any moment leaves the old checkpoint or the new one.

import type { CheckpointReader, CheckpointStore } from '../formats/checkpoints';
import { openFolder, removeFrom, storageError, writeChunks, writeWhole, type BrowserStorage } from './opfs-folder';
import type { SafetensorsFile } from '../formats/safetensors';

const POINTER = 'latest.json';
const FILES = ['a.safetensors', 'b.safetensors'] as const;

export class OpfsCheckpoints implements CheckpointStore {
  readonly #folder: string;
  readonly #storage: BrowserStorage;

  constructor(folder: string, storage: BrowserStorage = navigator.storage) {
    this.#folder = folder;
    this.#storage = storage;
  }

  async write(_step: number, file: SafetensorsFile): Promise<void> {
    try {
      const folder = await openFolder(this.#storage, [this.#folder], true);
      const name = (await current(folder)) === FILES[0] ? FILES[1] : FILES[0];
      try {
        await writeChunks(folder, name, file.chunks(), file.size);
      } catch (thrown) {
        // Half a checkpoint is useless and takes space.
        await removeFrom(folder, name).catch(() => undefined);
        throw thrown;
      }
      await writeWhole(folder, POINTER, JSON.stringify({ file: name }));
    } catch (cause) {
      throw await storageError(this.#storage, cause, 'a checkpoint', file.size);
    }
  }

  async open(): Promise<CheckpointReader | null> {
    let file: File;
    try {
      const folder = await openFolder(this.#storage, [this.#folder], false);
      const name = await current(folder);
      if (!name) return null;
      file = await (await folder.getFileHandle(name)).getFile();
    } catch {
      return null;
    }
    return { size: file.size, read: async (start, end) => new Uint8Array(await file.slice(start, end).arrayBuffer()) };
  }

  async clear(): Promise<void> {
    await removeFrom(await this.#storage.getDirectory(), this.#folder);
  }
}

async function current(folder: FileSystemDirectoryHandle): Promise<string | null> {
  try {
    const text = await (await (await folder.getFileHandle(POINTER)).getFile()).text();
    return FILES.find((name) => text.includes(`"${name}"`)) ?? null;
  } catch {
    return null;
  }
}
