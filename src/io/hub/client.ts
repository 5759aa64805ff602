// The few requests of the Hub's API that loading a model needs: a revision's commit with its files, and a file's bytes. The
// token goes to the hub's origin and nowhere else: it is a header of this request, which fetch drops on a redirect to another
// origin. API: https://huggingface.co/docs/hub/api

import { isCommit } from './names';
import { badAnswer, cut, stalled, statusFault, unreachable, type HubPlace } from './faults';

export interface HubAccess {
  /** Without a slash at its end. */
  readonly url: string;
  readonly token: string | null;
}

interface Digest {
  /** Of the contents, or git's own: the SHA-1 of 'blob <size>\0' and the contents. */
  readonly kind: 'sha256' | 'git';
  readonly hex: string;
}

export interface RepoFile {
  readonly path: string;
  readonly bytes: number;
  readonly digest: Digest;
  /** Where it lies on the hub, if it is stored under another name. */
  readonly at?: { readonly repo: string; readonly path: string };
}

export interface RepoInfo {
  readonly commit: string;
  /** Files beside config.json; subfolders are not part of a model. */
  readonly files: readonly RepoFile[];
  readonly licence: string | null;
  readonly gated: boolean;
}

export interface OpenedFile {
  /** Offset of the first byte in the file: the requested one, or 0 from a server without ranges. */
  readonly start: number;
  /** Null if the server sent none or the browser hides it. */
  readonly etag: string | null;
  /** Chunks to the end of the requested range. Throws HUB_CONNECTION, HUB_STALLED, or the signal's reason. */
  readonly chunks: AsyncGenerator<Uint8Array<ArrayBuffer>>;
  /** Instead of reading the chunks. */
  cancel(): Promise<void>;
}

/** A connection without a byte for this long counts as dead. */
const STALL_MS = 30_000;
/** The longest list of files that is read. */
const MAX_INFO = 32 * 2 ** 20;
/** Names that are valid file names in any folder. */
const PLAIN = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,199}$/;
/** Of a data set, the files of its Parquet version. */
const PARQUET = /^[\w][\w.+ -]{0,99}\/[\w][\w.+-]{0,99}\/\d{4,6}\.parquet$/;

/** fetch, or one that refuses more. */
export type Fetcher = (url: string | URL, init?: RequestInit) => Promise<Response>;

export interface ClientOptions {
  readonly fetcher?: Fetcher;
  readonly stallMs?: number;
}

export class HubClient {
  readonly #access: HubAccess;
  readonly #fetch: Fetcher;
  readonly #stallMs: number;

  constructor(access: HubAccess, { fetcher, stallMs = STALL_MS }: ClientOptions = {}) {
    this.#access = access;
    // A browser's fetch must be called as a function of its global.
    this.#fetch = fetcher ?? ((input, init) => fetch(input, init));
    this.#stallMs = stallMs;
  }

  get hub(): string {
    return this.#access.url;
  }

  /**
   * `repo`: of a data set 'datasets/org/name'; its files are those of the Parquet version. Throws HUB_NOT_FOUND, HUB_GATED, HUB_SERVER,
   * HUB_CONNECTION, HUB_STALLED, or the signal's reason.
   */
  async info(repo: string, revision: string, signal?: AbortSignal): Promise<RepoInfo> {
    const place: HubPlace = { hub: this.hub, repo, revision, path: null };
    const isData = repo.startsWith('datasets/');
    const url = `${this.hub}/api/${isData ? repo : `models/${repo}`}/revision/${encodeURIComponent(revision)}?blobs=true`;
    const { response, watch } = await this.#ask(url, place, {}, signal);
    const parts: Uint8Array<ArrayBuffer>[] = [];
    let bytes = 0;
    for await (const part of chunksOf(response, watch, place)) {
      bytes += part.byteLength;
      if (bytes > MAX_INFO) throw badAnswer(place, `more than ${MAX_INFO} bytes`);
      parts.push(part.slice());
    }
    let json: unknown;
    try {
      json = JSON.parse(await new Blob(parts).text());
    } catch {
      throw badAnswer(place, 'something that is not JSON');
    }
    return parseInfo(json, place, isData ? PARQUET : PLAIN);
  }

  /** Bytes `start` to `end` (to the file's end without). Throws as info does, and HUB_CHANGED. */
  async open(repo: string, commit: string, path: string, start: number, end: number | null, signal?: AbortSignal): Promise<OpenedFile> {
    const place: HubPlace = { hub: this.hub, repo, revision: commit, path };
    const url = `${this.hub}/${repo}/resolve/${encodeURIComponent(commit)}/${path.split('/').map(encodeURIComponent).join('/')}`;
    // A range of this form needs no permission from the storage host (it is "CORS-safelisted").
    const range: Record<string, string> = start > 0 || end !== null ? { Range: `bytes=${start}-${end === null ? '' : end - 1}` } : {};
    const { response, watch } = await this.#ask(url, place, range, signal);
    const from = response.status === 206 ? start : 0;
    const told = /^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1];
    if (response.status === 206 && told !== undefined && Number(told) !== start) {
      watch.end();
      throw badAnswer(place, `bytes from ${told} where ${start} was asked for`);
    }
    const length = end === null ? Infinity : end - from;
    return {
      start: from,
      etag: response.headers.get('etag'),
      chunks: chunksOf(response, watch, place, length),
      async cancel() {
        watch.end();
        await response.body?.cancel().catch(() => undefined);
      },
    };
  }

  async #ask(
    url: string,
    place: HubPlace,
    headers: Readonly<Record<string, string>>,
    signal?: AbortSignal,
  ): Promise<{ response: Response; watch: Watch }> {
    const { token } = this.#access;
    const watch = new Watch(this.#stallMs, () => stalled(place, this.#stallMs), signal);
    try {
      const response = await this.#fetch(url, {
        headers: { ...headers, ...(token !== null && { Authorization: `Bearer ${token}` }) },
        signal: watch.signal,
        credentials: 'omit',
        referrerPolicy: 'no-referrer',
        // The model cache keeps and checks what is worth keeping, so the HTTP cache is off.
        cache: 'no-store',
      });
      watch.heard();
      if (response.ok) {
        if (this.hub.startsWith('https:') && response.url.startsWith('http:'))
          throw badAnswer(place, 'a redirect to an address without encryption');
        return { response, watch };
      }
      await response.body?.cancel().catch(() => undefined);
      throw statusFault(response.status, response.headers.get('x-error-code'), place, token !== null);
    } catch (thrown) {
      watch.end();
      throw watch.reason ?? (thrown instanceof TypeError ? unreachable(place, thrown) : thrown);
    }
  }
}

/** Aborts a request that goes silent, or that its caller cancels. */
class Watch {
  readonly #controller = new AbortController();
  readonly #onAbort: () => void;
  readonly #caller: AbortSignal | undefined;
  readonly #ms: number;
  readonly #fault: () => unknown;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(ms: number, fault: () => unknown, caller?: AbortSignal) {
    this.#ms = ms;
    this.#fault = fault;
    this.#caller = caller;
    this.#onAbort = () => this.#controller.abort(caller?.reason);
    if (caller?.aborted) this.#onAbort();
    caller?.addEventListener('abort', this.#onAbort);
    this.heard();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Why it was aborted; undefined if it was not. */
  get reason(): Error | undefined {
    return this.#controller.signal.aborted ? (this.#controller.signal.reason as Error) : undefined;
  }

  heard(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#controller.abort(this.#fault()), this.#ms);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#caller?.removeEventListener('abort', this.#onAbort);
  }
}

/** Bytes that are read at a time if the browser reads into our buffer. */
const READ = 256 * 1024;

/**
 * Chunks of a body; where the browser can, all in one buffer, so that a download leaves nothing to collect. Each is good
 * until the next.
 */
function readerOf(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
): Pick<ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>, 'read' | 'cancel'> {
  let reader: ReadableStreamBYOBReader;
  try {
    reader = body.getReader({ mode: 'byob' });
  } catch {
    return body.getReader();
  }
  let buffer = new ArrayBuffer(READ);
  return {
    async read() {
      const result = await reader.read(new Uint8Array(buffer));
      if (result.value) buffer = result.value.buffer;
      return result.done ? { done: true, value: undefined } : result;
    },
    cancel: (reason) => reader.cancel(reason),
  };
}

/** The body as it comes, `length` bytes of it at most; a chunk is overwritten by the next. */
async function* chunksOf(
  response: Response,
  watch: Watch,
  place: HubPlace,
  length = Infinity,
): AsyncGenerator<Uint8Array<ArrayBuffer>, undefined> {
  const reader = response.body ? readerOf(response.body) : undefined;
  let bytes = 0;
  try {
    while (reader && bytes < length) {
      const { done, value } = await reader.read().catch((cause: unknown) => {
        throw watch.reason ?? cut(place, bytes, cause);
      });
      if (done) break;
      watch.heard();
      const chunk = bytes + value.byteLength > length ? value.subarray(0, length - bytes) : value;
      bytes += chunk.byteLength;
      yield chunk;
      if (watch.reason !== undefined) throw watch.reason;
      // The time that the receiver needs to store it does not count as the server's silence.
      watch.heard();
    }
    if (length !== Infinity && bytes < length) throw cut(place, bytes);
  } finally {
    watch.end();
    await reader?.cancel().catch(() => undefined);
  }
}

type Fields = ReadonlyMap<string, unknown>;
const fieldsOf = (value: unknown): Fields =>
  new Map(typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : []);

function parseInfo(json: unknown, place: HubPlace, wanted: RegExp): RepoInfo {
  const info = fieldsOf(json);
  const commit = info.get('sha');
  const siblings = info.get('siblings');
  if (typeof commit !== 'string' || !isCommit(commit)) throw badAnswer(place, 'no commit id');
  if (!Array.isArray(siblings)) throw badAnswer(place, 'no list of files');
  const files = new Map<string, RepoFile>();
  for (const sibling of siblings as unknown[]) {
    const file = fieldsOf(sibling);
    const path = file.get('rfilename');
    if (typeof path !== 'string' || !wanted.test(path)) continue;
    if (files.has(path)) throw badAnswer(place, `the file ${path} twice`);
    files.set(path, { path, ...sizeAndDigest(file, path, place) });
  }
  return {
    commit,
    files: [...files.values()],
    licence: licenceOf(info),
    gated: ['auto', 'manual', true].some((value) => value === info.get('gated')),
  };
}

function sizeAndDigest(file: Fields, path: string, place: HubPlace): { bytes: number; digest: Digest } {
  const lfs = fieldsOf(file.get('lfs'));
  const bytes = lfs.get('size') ?? file.get('size');
  const sha256 = lfs.get('sha256');
  const blob = file.get('blobId');
  const digest: Digest | null =
    typeof sha256 === 'string' && /^[0-9a-f]{64}$/.test(sha256)
      ? { kind: 'sha256', hex: sha256 }
      : lfs.size === 0 && typeof blob === 'string' && /^[0-9a-f]{40}$/.test(blob)
        ? { kind: 'git', hex: blob }
        : null;
  if (!Number.isSafeInteger(bytes) || (bytes as number) < 0 || !digest) throw badAnswer(place, `no size or digest of ${path}`);
  return { bytes: bytes as number, digest };
}

/** From the model card's front matter, or its tag. */
function licenceOf(info: Fields): string | null {
  const tags = info.get('tags');
  const tag = (Array.isArray(tags) ? (tags as unknown[]) : []).find((value) => typeof value === 'string' && value.startsWith('license:'));
  const licence = fieldsOf(info.get('cardData')).get('license') ?? (tag as string | undefined)?.slice('license:'.length);
  return typeof licence === 'string' && /^[\w.+ -]{1,60}$/.test(licence) ? licence : null;
}
