// Models from a hub, kept on this machine: one folder per model and commit, with a manifest that lists its files and which of
// them are complete. A file counts only if the manifest says that its digest was correct, so a half-written file after a crash
// is never used. CacheRoot decides where the folders are: in the browser's private file system (browser/opfs-models.ts) or in a
// directory (node/models.ts).

import type { HubModel, StorageEstimate, StoredModel } from './types';
import { isCommit } from './names';
import { missingFile, type FileSource } from '../sources/file-source';
import type { RepoFile } from './client';

type Bytes = Uint8Array<ArrayBuffer>;

/** Appends to a file; nothing else writes to it meanwhile. */
export interface Appender {
  write(bytes: Bytes): Promise<void>;
  /** Resolves when the written bytes are on the disk. */
  close(): Promise<void>;
}

export interface CacheFolder {
  /** Null if there is no such file. */
  text(name: string): Promise<string | null>;
  /** Replaces a small file in one piece. */
  replace(name: string, text: string): Promise<void>;
  /** Bytes; 0 if there is no such file. */
  size(name: string): Promise<number>;
  read(name: string, start: number, end: number): Promise<Bytes>;
  /** Cuts the file to `at` bytes, or creates it, and continues from there. */
  append(name: string, at: number): Promise<Appender>;
}

export interface CacheRoot {
  folders(): Promise<string[]>;
  /** Null if it does not exist and must not be created. */
  open(name: string, create: boolean): Promise<CacheFolder | null>;
  /** Removes it with its contents; does nothing if it does not exist. */
  remove(name: string): Promise<void>;
  estimate(): Promise<StorageEstimate>;
  /**
   * From here on nobody else writes to that folder, until what it gives is called. Where somebody does now it waits, and `onWait` hears
   * once whom for; or throws STORAGE. `what`: 'org/name', for the words.
   */
  claim(name: string, what: string, onWait?: (why: string) => void, signal?: AbortSignal): Promise<() => void>;
  /** What a refusal of the storage means, as STORAGE; other faults as they are. `what`: 'gpt2'. */
  fault(cause: unknown, what: string, bytes: number): Promise<unknown>;
}

export interface Manifest {
  readonly model: HubModel;
  readonly files: readonly RepoFile[];
  /** Etags of the answers that the partial files came from. */
  readonly etags: Readonly<Record<string, string>>;
  /** Files whose digest was correct. */
  readonly whole: readonly string[];
  readonly changed: number;
}

const MANIFEST = 'manifest.json';

/** The same for the same files. */
export const keyOf = ({ hub, repo, commit }: HubModel): string => `${hub} ${repo} ${commit}`;

/** The folder's name; nothing in it can be a path. The manifest says which model it is. */
const folderOf = ({ hub, repo, commit }: HubModel): string =>
  [hub.replace(/^https?:\/\//, ''), ...repo.split('/'), commit].map((part) => part.replace(/[^A-Za-z0-9._-]/g, '_')).join('--');

export class CachedModel {
  readonly folder: CacheFolder;
  #manifest: Manifest;

  constructor(folder: CacheFolder, manifest: Manifest) {
    this.folder = folder;
    this.#manifest = manifest;
  }

  get manifest(): Manifest {
    return this.#manifest;
  }

  get total(): number {
    return this.#manifest.files.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  get whole(): boolean {
    return this.#manifest.files.every(({ path }) => this.#manifest.whole.includes(path));
  }

  isWhole(path: string): boolean {
    return this.#manifest.whole.includes(path);
  }

  /** Bytes of all files on the disk; bytes beyond a file's size do not count. */
  async bytes(): Promise<number> {
    let sum = 0;
    for (const { path, bytes } of this.#manifest.files) sum += Math.min(bytes, await this.folder.size(path));
    return sum;
  }

  async setEtag(path: string, etag: string | null): Promise<void> {
    const { [path]: _, ...etags } = this.#manifest.etags;
    await this.#write({ etags: etag === null ? etags : { ...etags, [path]: etag } });
  }

  async setWhole(path: string): Promise<void> {
    await this.#write({ whole: [...this.#manifest.whole, path] });
  }

  async #write(change: Partial<Manifest>): Promise<void> {
    this.#manifest = { ...this.#manifest, ...change, changed: Date.now() };
    await this.folder.replace(MANIFEST, JSON.stringify(this.#manifest));
  }

  /** The complete files. */
  source(): FileSource {
    const { model } = this.#manifest;
    const size = (path: string): number => {
      const file = this.#manifest.files.find((other) => other.path === path);
      if (!file || !this.isWhole(path)) throw missingFile(model.repo, path);
      return file.bytes;
    };
    return {
      name: model.repo,
      commit: model.commit,
      list: () => Promise.resolve([...this.#manifest.whole].sort()),
      size: (path) => Promise.resolve().then(() => size(path)),
      read: async (path, start = 0, end = size(path)) => {
        if (start > end || end > size(path)) throw missingFile(model.repo, `${path} bytes ${start}-${end}`);
        const bytes = await this.folder.read(path, start, end).catch((cause: unknown) => {
          throw missingFile(model.repo, path, cause);
        });
        if (bytes.byteLength !== end - start) throw missingFile(model.repo, path);
        return bytes;
      },
    };
  }
}

export class ModelCache {
  readonly root: CacheRoot;

  constructor(root: CacheRoot) {
    this.root = root;
  }

  /** Null if the model is not there or cannot be read. */
  async find(model: HubModel): Promise<CachedModel | null> {
    const cached = await this.#open(folderOf(model));
    // 'a/b--c' and 'a--b/c' share a folder's name.
    return cached && keyOf(cached.manifest.model) === keyOf(model) ? cached : null;
  }

  /** The model of this repository at this revision, the newest if there are several. For use without the hub. */
  async findRevision(hub: string, repo: string, revision: string): Promise<CachedModel | null> {
    const found: CachedModel[] = [];
    for (const name of await this.root.folders()) {
      const cached = await this.#open(name);
      const model = cached?.manifest.model;
      if (cached?.whole && model?.hub === hub && model.repo === repo && [model.revision, model.commit].includes(revision))
        found.push(cached);
    }
    return found.sort((a, b) => b.manifest.changed - a.manifest.changed)[0] ?? null;
  }

  /** As CacheRoot.claim, of the model's folder. */
  claim(model: HubModel, onWait?: (why: string) => void, signal?: AbortSignal): Promise<() => void> {
    return this.root.claim(folderOf(model), model.repo, onWait, signal);
  }

  async create(model: HubModel, files: readonly RepoFile[]): Promise<CachedModel> {
    const folder = await this.root.open(folderOf(model), true);
    const manifest: Manifest = { model, files, etags: {}, whole: [], changed: Date.now() };
    await folder!.replace(MANIFEST, JSON.stringify(manifest));
    return new CachedModel(folder!, manifest);
  }

  async remove(model: HubModel): Promise<void> {
    await this.root.remove(folderOf(model));
  }

  /** The newest first. Who uses them is not known here. */
  async list(): Promise<Omit<StoredModel, 'usedBy'>[]> {
    const models: Omit<StoredModel, 'usedBy'>[] = [];
    for (const name of await this.root.folders()) {
      const cached = await this.#open(name);
      if (!cached) continue;
      const { model, changed } = cached.manifest;
      models.push({ model, bytes: await cached.bytes(), total: cached.total, whole: cached.whole, changed });
    }
    return models.sort((a, b) => b.changed - a.changed);
  }

  async #open(name: string): Promise<CachedModel | null> {
    const folder = await this.root.open(name, false);
    const manifest = folder && readManifest((await folder.text(MANIFEST).catch(() => null)) ?? '');
    return manifest && folderOf(manifest.model) === name ? new CachedModel(folder, manifest) : null;
  }
}

/** Null if the manifest is not ours or not valid; then the model is downloaded again. */
function readManifest(text: string): Manifest | null {
  try {
    const { model, files, etags, whole, changed } = JSON.parse(text) as Manifest;
    const sound =
      [model.hub, model.repo, model.revision].every((value) => typeof value === 'string') &&
      isCommit(model.commit) &&
      files.length > 0 &&
      files.every(
        ({ path, bytes, digest, at }) =>
          (at === undefined || (typeof at.repo === 'string' && typeof at.path === 'string')) &&
          /^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(path) &&
          Number.isSafeInteger(bytes) &&
          bytes >= 0 &&
          ((digest.kind === 'sha256' && /^[0-9a-f]{64}$/.test(digest.hex)) || (digest.kind === 'git' && /^[0-9a-f]{40}$/.test(digest.hex))),
      ) &&
      typeof etags === 'object' &&
      Array.isArray(whole) &&
      whole.every((path) => files.some((file) => file.path === path)) &&
      Number.isFinite(changed);
    return sound ? { model: { ...model, kind: 'hub' }, files, etags, whole, changed } : null;
  } catch {
    return null;
  }
}
