// Models of ended runs in the browser's private file system, from a worker: a folder for each run, with its sources, its weights,
// and a small description, which is written last and says that the others are whole.

import type { SafetensorsFile } from '../formats/safetensors';
import type { FinishedRun, FinishedStorage } from '../sources/finished';
import type { KeptSources } from '../sources/run-sources';
import { openFolder, removeFrom, storageError, writeChunks, writeWhole, type BrowserStorage } from './opfs-folder';
import { OpfsSources } from './opfs-sources';

const WEIGHTS = 'weights.safetensors';
const WHOLE = 'whole.json';

export class OpfsFinished implements FinishedStorage {
  readonly #folder: string;
  readonly #storage: BrowserStorage;
  readonly #sources: OpfsSources;

  constructor(folder: string, storage: BrowserStorage = navigator.storage) {
    this.#folder = folder;
    this.#storage = storage;
    this.#sources = new OpfsSources(folder, storage);
  }

  async keep(runId: string, step: number, sources: KeptSources, file: SafetensorsFile): Promise<void> {
    const { data, model } = sources;
    const dataBytes = data.kind === 'file' ? data.file.size + (data.heldOut?.size ?? 0) : 0;
    const whole: FinishedRun = {
      runId,
      step,
      bytes: file.size + dataBytes,
      needsModel: model.kind === 'files' ? model.name : null,
    };
    try {
      await this.#sources.keep(runId, sources);
      const folder = await openFolder(this.#storage, [this.#folder, runId], true);
      await writeChunks(folder, WEIGHTS, file.chunks(), file.size);
      await writeWhole(folder, WHOLE, JSON.stringify(whole));
    } catch (cause) {
      await this.remove(runId).catch(() => undefined);
      throw await storageError(this.#storage, cause, 'the tuned model', whole.bytes);
    }
  }

  async open(runId: string): ReturnType<FinishedStorage['open']> {
    if (!(await this.#describe(runId))) return null;
    const sources = await this.#sources.open(runId);
    const folder = await openFolder(this.#storage, [this.#folder, runId], false);
    const file = await (await folder.getFileHandle(WEIGHTS)).getFile();
    const read = async (start: number, end: number) => new Uint8Array(await file.slice(start, end).arrayBuffer());
    return sources && { reader: { size: file.size, read }, sources };
  }

  async list(): Promise<readonly FinishedRun[]> {
    const found = await Promise.all((await this.#names()).map((name) => this.#describe(name)));
    return found.filter((run) => run !== null);
  }

  async remove(runId: string): Promise<void> {
    await removeFrom(await openFolder(this.#storage, [this.#folder], true), runId);
  }

  async dropBroken(): Promise<void> {
    for (const name of await this.#names()) if (!(await this.#describe(name))) await this.remove(name);
  }

  async #names(): Promise<string[]> {
    const names: string[] = [];
    for await (const name of (await openFolder(this.#storage, [this.#folder], true)).keys()) names.push(name);
    return names.sort();
  }

  async #describe(runId: string): Promise<FinishedRun | null> {
    try {
      const folder = await openFolder(this.#storage, [this.#folder, runId], false);
      return JSON.parse(await (await (await folder.getFileHandle(WHOLE)).getFile()).text()) as FinishedRun;
    } catch {
      return null;
    }
  }
}
