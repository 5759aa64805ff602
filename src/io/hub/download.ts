// Downloads a model's files from the hub into the cache, one after another. Each file is appended to its partial file and
// hashed as it arrives. After a cut connection or a server failure, the download continues where it ended. A file with a wrong
// digest, or one that has changed, is fetched again once.

import { AppError, errorInfo } from '../../base/errors';
import type { DownloadState, HubModel } from './types';
import type { HubClient, RepoFile } from './client';
import { digestFault } from './faults';
import type { Appender, CachedModel, ModelCache } from './model-cache';
import { PATIENCE, patiently, type Patience } from './retry';
import { Sha256 } from './sha256';
import { SpeedMeter } from './speed';

export interface DownloadOptions {
  readonly signal?: AbortSignal;
  /** Called now and then, and at every change of phase. */
  readonly onState?: (state: DownloadState) => void;
  /** Called once, with a sentence, if another process downloads the same model and this one waits for it. */
  readonly onWait?: (why: string) => void;
  readonly patience?: Patience;
}

/** Milliseconds between two reports of the same phase. */
const TELL_MS = 250;
/** Bytes of a partial file that are read back at a time. */
const BLOCK = 4 * 2 ** 20;
/** Git's digest needs the whole contents at once; the hub does not store files above this size that way. */
const MOST_GIT = 64 * 2 ** 20;

/**
 * Resolves when every file is complete and checked. Throws what the client throws, HUB_DIGEST, HUB_CHANGED, STORAGE, or the
 * signal's reason.
 */
export async function downloadModel(
  client: HubClient,
  cache: ModelCache,
  model: HubModel,
  files: readonly RepoFile[],
  options: DownloadOptions = {},
): Promise<CachedModel> {
  try {
    const found = await cache.find(model);
    if (found?.whole) return found;
    const release = await cache.claim(model, options.onWait, options.signal);
    try {
      return await fetchAll(client, cache, model, files, options);
    } finally {
      release();
    }
  } catch (thrown) {
    if (options.signal?.aborted) throw options.signal.reason;
    throw await cache.root.fault(
      thrown,
      model.repo,
      files.reduce((sum, { bytes }) => sum + bytes, 0),
    );
  }
}

/** Only this process writes to the model's folder meanwhile. */
async function fetchAll(
  client: HubClient,
  cache: ModelCache,
  model: HubModel,
  files: readonly RepoFile[],
  options: DownloadOptions,
): Promise<CachedModel> {
  // What another process has fetched in the meantime is there.
  const cached = (await cache.find(model)) ?? (await cache.create(model, files));
  await checkRoom(cache, cached);
  const job = new Job(client, cached, options);
  for (const file of cached.manifest.files) await job.fetch(file);
  job.finish();
  return cached;
}

/** Throws STORAGE before the first byte arrives if there is no space for the rest. */
async function checkRoom(cache: ModelCache, cached: CachedModel): Promise<void> {
  const { usage, quota } = await cache.root.estimate();
  const rest = cached.total - (await cached.bytes());
  if (usage === null || quota === null || quota - usage >= rest) return;
  throw new AppError(
    'STORAGE',
    `There is no space for ${cached.manifest.model.repo}: ${megabytes(rest)} are missing, about ${megabytes(Math.max(0, quota - usage))} are free.`,
    'Free disk space, or delete a stored model. The partial download is kept.',
  );
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

class Job {
  readonly #client: HubClient;
  readonly #cached: CachedModel;
  readonly #options: DownloadOptions;
  readonly #patience: Patience;
  readonly #meter = new SpeedMeter();
  /** Bytes of the files before the current one. */
  #before = 0;
  #current = 0;
  #told = -Infinity;

  constructor(client: HubClient, cached: CachedModel, options: DownloadOptions) {
    this.#client = client;
    this.#cached = cached;
    this.#options = options;
    this.#patience = options.patience ?? PATIENCE;
  }

  /** Whether the complete file is in the cache. */
  async fetch(file: RepoFile): Promise<void> {
    this.#current = 0;
    if (!this.#cached.isWhole(file.path)) {
      const had = Math.min(file.bytes, await this.#cached.folder.size(file.path));
      // The partial file may come from a process that was killed in the middle of a write.
      if (!(await this.#attempt(file, had)) && !(had > 0 && (await this.#attempt(file, 0)))) {
        await this.#drop(file);
        throw digestFault(this.#place(file), `a ${file.digest.kind === 'git' ? 'git id' : 'sha256'} that is not the hub's`);
      }
      await this.#cached.setWhole(file.path);
    }
    this.#before += file.bytes;
    this.#current = 0;
  }

  finish(): void {
    this.#tell('done', null, true);
  }

  /** False if the digest of the complete file is wrong. `from`: bytes that are already there. */
  async #attempt(file: RepoFile, from: number): Promise<boolean> {
    const part = await Part.open(this.#cached, file, from, this.#options.signal, () => this.#tell('checking', file.path));
    this.#current = part.at;
    try {
      this.#meter.reset();
      await patiently(
        async (progress) => {
          if (part.at < file.bytes) await this.#stream(file, part, progress);
        },
        this.#patience,
        this.#options.signal,
        ({ attempt, of, seconds, error }) => {
          this.#meter.reset();
          this.#tell('waiting', file.path, true, { attempt, of, seconds, error: errorInfo(error) });
        },
      );
    } finally {
      await part.close();
    }
    this.#tell('checking', file.path);
    return part.matches();
  }

  async #stream(file: RepoFile, part: Part, progress: () => void): Promise<void> {
    const { repo, commit } = this.#cached.manifest.model;
    const from = file.at ?? { repo, path: file.path };
    const opened = await this.#client.open(from.repo, commit, from.path, part.at, null, this.#options.signal);
    const known = this.#cached.manifest.etags[file.path];
    const changed = part.at > 0 && known !== undefined && opened.etag !== null && known !== opened.etag;
    // The rest of another file, or the whole file from a server without ranges: start from the beginning.
    if (changed || opened.start < part.at) {
      if (opened.start > 0 || (changed && part.changes > 0)) await opened.cancel();
      if (changed && part.changes > 0) throw changedFault(file, repo);
      await part.restart(changed);
      if (opened.start > 0) return this.#stream(file, part, progress);
    }
    if (opened.etag !== null && opened.etag !== this.#cached.manifest.etags[file.path]) await this.#cached.setEtag(file.path, opened.etag);
    for await (const chunk of opened.chunks) {
      if (part.at + chunk.byteLength > file.bytes) {
        await part.restart(false);
        throw digestFault(this.#place(file), 'more bytes than the hub’s list says');
      }
      if (await part.write(chunk)) progress();
      this.#current = part.at;
      this.#tell('downloading', file.path);
    }
    if (part.at < file.bytes) throw cutShort(file, repo, part.at);
  }

  async #drop(file: RepoFile): Promise<void> {
    await (await this.#cached.folder.append(file.path, 0)).close();
    await this.#cached.setEtag(file.path, null);
  }

  #place(file: RepoFile): { hub: string; repo: string; revision: string; path: string } {
    const { hub, repo, commit } = this.#cached.manifest.model;
    return { hub, repo, revision: commit, path: file.path };
  }

  #tell(phase: DownloadState['phase'], file: string | null, now = false, retry: DownloadState['retry'] = null): void {
    const at = performance.now();
    const bytes = this.#before + this.#current;
    if (phase === 'downloading') this.#meter.mark(bytes, at);
    if (!now && at < this.#told + TELL_MS) return;
    this.#told = at;
    const total = this.#cached.total;
    const moving = phase === 'downloading';
    this.#options.onState?.({
      model: this.#cached.manifest.model,
      phase,
      bytes,
      total,
      speed: moving ? this.#meter.speed : null,
      secondsLeft: moving ? this.#meter.secondsLeft(total - bytes) : null,
      file,
      retry,
      error: null,
    });
  }
}

const cutShort = (file: RepoFile, repo: string, at: number): AppError =>
  new AppError(
    'HUB_CONNECTION',
    `The connection was cut after ${at} of ${file.bytes} bytes of ${file.path} of ${repo}.`,
    'Try again. The partial download is kept.',
  );

const changedFault = (file: RepoFile, repo: string): AppError =>
  new AppError(
    'HUB_CHANGED',
    `${file.path} of ${repo} changed on the server during the download.`,
    'Wait a while, then look up the model again. If this happens again, use another address of the hub.',
  );

/** A partial file: the bytes on the disk, and their digest. */
class Part {
  readonly #cached: CachedModel;
  readonly #file: RepoFile;
  #appender: Appender;
  #hash = new Sha256();
  #furthest = 0;
  at = 0;
  /** How often the server gave another file than before. */
  changes = 0;

  private constructor(cached: CachedModel, file: RepoFile, appender: Appender) {
    this.#cached = cached;
    this.#file = file;
    this.#appender = appender;
  }

  /** Hashes the `from` bytes that are there. */
  static async open(
    cached: CachedModel,
    file: RepoFile,
    from: number,
    signal: AbortSignal | undefined,
    onBlock: () => void,
  ): Promise<Part> {
    const hash = new Sha256();
    for (let at = 0; at < from && file.digest.kind === 'sha256'; at += BLOCK) {
      if (signal?.aborted) throw signal.reason;
      hash.update(await cached.folder.read(file.path, at, Math.min(from, at + BLOCK)));
      onBlock();
    }
    const part = new Part(cached, file, await cached.folder.append(file.path, from));
    part.#hash = hash;
    part.at = part.#furthest = from;
    return part;
  }

  /** True if this is further than ever before: a server without ranges starts again after every cut. */
  async write(bytes: Uint8Array<ArrayBuffer>): Promise<boolean> {
    await this.#appender.write(bytes);
    if (this.#file.digest.kind === 'sha256') this.#hash.update(bytes);
    this.at += bytes.byteLength;
    const further = this.at > this.#furthest;
    if (further) this.#furthest = this.at;
    return further;
  }

  async restart(changed: boolean): Promise<void> {
    if (changed) this.changes++;
    await this.#appender.close();
    this.#appender = await this.#cached.folder.append(this.#file.path, 0);
    await this.#cached.setEtag(this.#file.path, null);
    this.#hash = new Sha256();
    this.at = 0;
  }

  close(): Promise<void> {
    return this.#appender.close();
  }

  /** After close: the digest of all of it is the hub's. */
  async matches(): Promise<boolean> {
    const { path, bytes, digest } = this.#file;
    if (digest.kind === 'sha256') return this.#hash.hex() === digest.hex;
    if (bytes > MOST_GIT) return false;
    const head = new TextEncoder().encode(`blob ${bytes}\0`);
    const blob = new Uint8Array(head.byteLength + bytes);
    blob.set(head);
    blob.set(await this.#cached.folder.read(path, 0, bytes), head.byteLength);
    const sha1 = new Uint8Array(await crypto.subtle.digest('SHA-1', blob));
    return Array.from(sha1, (byte) => byte.toString(16).padStart(2, '0')).join('') === digest.hex;
  }
}
