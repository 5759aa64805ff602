// What a run was started from, in the browser's private file system: one folder per run, with the data file's bytes and,
// written last, their description.

import type { KeptSources, SourceStorage } from '../sources/run-sources';
import { openFolder, removeFrom, storageError, writeChunks, writeWhole, type BrowserStorage } from './opfs-folder';

const DATA = 'data';
const HELD_OUT = 'held-out';
const DESCRIPTION = 'sources.json';

/** The text in DESCRIPTION; for data files, only their names. */
interface Description {
  readonly model: KeptSources['model'];
  readonly data:
    { readonly kind: 'builtin'; readonly id: string } | { readonly kind: 'file'; readonly name: string; readonly heldOut?: string };
}

export class OpfsSources implements SourceStorage {
  readonly #folder: string;
  readonly #storage: BrowserStorage;

  constructor(folder: string, storage: BrowserStorage = navigator.storage) {
    this.#folder = folder;
    this.#storage = storage;
  }

  async keep(runId: string, { model, data }: KeptSources): Promise<void> {
    const { file, heldOut, builtin } = data.kind === 'file' ? { ...data, builtin: '' } : { builtin: data.id };
    try {
      const folder = await openFolder(this.#storage, [this.#folder, runId], true);
      if (file) await writeChunks(folder, DATA, bytesOf(file), file.size);
      if (heldOut) await writeChunks(folder, HELD_OUT, bytesOf(heldOut), heldOut.size);
      const description: Description = {
        model,
        data: file ? { kind: 'file', name: file.name, heldOut: heldOut?.name } : { kind: 'builtin', id: builtin },
      };
      await writeWhole(folder, DESCRIPTION, JSON.stringify(description));
    } catch (cause) {
      await this.remove(runId).catch(() => undefined);
      throw await storageError(
        this.#storage,
        cause,
        file ? `a copy of ${file.name}` : 'what the run was started from',
        (file?.size ?? 0) + (heldOut?.size ?? 0),
      );
    }
  }

  async open(runId: string): Promise<KeptSources | null> {
    try {
      const folder = await openFolder(this.#storage, [this.#folder, runId], false);
      const { model, data } = JSON.parse(await (await (await folder.getFileHandle(DESCRIPTION)).getFile()).text()) as Description;
      if (data.kind === 'builtin') return { model, data };
      const read = async (file: string, name: string): Promise<File> =>
        new File([await (await folder.getFileHandle(file)).getFile()], name);
      const heldOut = data.heldOut === undefined ? {} : { heldOut: await read(HELD_OUT, data.heldOut) };
      return { model, data: { kind: 'file', file: await read(DATA, data.name), ...heldOut } };
    } catch {
      return null;
    }
  }

  async remove(runId: string): Promise<void> {
    await this.#removeAll((name) => name === runId);
  }

  async keepOnly(runId: string | null): Promise<void> {
    await this.#removeAll((name) => name !== runId);
  }

  async #removeAll(fits: (name: string) => boolean): Promise<void> {
    const folder = await openFolder(this.#storage, [this.#folder], true);
    const names: string[] = [];
    for await (const name of folder.keys()) names.push(name);
    for (const name of names) if (fits(name)) await removeFrom(folder, name);
  }
}

async function* bytesOf(file: File): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const reader = file.stream().getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}
