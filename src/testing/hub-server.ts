// For tests: a small hub on loopback with the part of the Hub's API that src/io/hub uses, and a second origin that its files
// redirect to, as the real one does. Tests insert faults; the server records every request with its headers, so that a test can assert what
// was sent where.

import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Seen {
  readonly origin: 'hub' | 'storage';
  readonly method: string;
  readonly path: string;
  readonly authorization: string | null;
  readonly range: string | null;
}

export interface HubRepo {
  readonly commit: string;
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly gated?: boolean;
  /** Names of branches and tags beside 'main'. */
  readonly revisions?: readonly string[];
}

/** A fault in the next answer with a file's bytes; each answer has at most one. */
export type Fault =
  | { readonly kind: 'status'; readonly status: number }
  /** The connection is cut after so many bytes of the body. */
  | { readonly kind: 'cut'; readonly after: number }
  /** The server falls silent after so many bytes. */
  | { readonly kind: 'stall'; readonly after: number }
  /** The bytes differ from those that the file list promises. */
  | { readonly kind: 'wrong' }
  /** Another file has the same name, with another etag and other bytes. */
  | { readonly kind: 'changed' }
  /** The server sends the whole file, whatever range was asked for. */
  | { readonly kind: 'no ranges' };

/** A file above this size is stored on the storage server with its sha256, and the hub redirects to it, as with Git LFS on the real hub. */
const LFS_FROM = 1000;

export class HubServer {
  readonly repos = new Map<string, HubRepo>();
  readonly seen: Seen[] = [];
  /** Tokens that gated repositories accept; any other token is invalid. */
  readonly tokens = new Set<string>();
  /** Faults by file name, in order; '*' for any file. */
  readonly faults: { readonly path: string; readonly fault: Fault }[] = [];
  /** Rate of every answer with a file's bytes; Infinity for no limit. */
  bytesPerSecond = Infinity;
  /** How many bytes of the file the other end holds; a cut waits for them. */
  held: () => Promise<number> = () => Promise.resolve(Infinity);
  url = '';
  storageUrl = '';
  readonly #hub = createServer((request, response) => this.#answer('hub', request, response));
  readonly #storage = createServer((request, response) => this.#answer('storage', request, response));

  async start(): Promise<this> {
    this.url = await listen(this.#hub);
    this.storageUrl = await listen(this.#storage);
    return this;
  }

  /** Cuts every connection in the middle of its answer, as when the network goes away. */
  cutAll(): void {
    for (const server of [this.#hub, this.#storage]) server.closeAllConnections();
  }

  async close(): Promise<void> {
    this.cutAll();
    for (const server of [this.#hub, this.#storage]) {
      await new Promise((resolve) => server.close(resolve));
    }
  }

  /** Answers with a file's bytes so far, of one file or all. */
  transfers(path?: string): Seen[] {
    return this.seen.filter((seen) => seen.path.includes('/resolve/') && (path === undefined || seen.path.endsWith(`/${path}`)));
  }

  #answer(origin: Seen['origin'], request: IncomingMessage, response: ServerResponse): void {
    const path = decodeURIComponent((request.url ?? '').replace(/\?.*$/, ''));
    const { authorization = null, range = null } = request.headers;
    this.seen.push({ origin, method: request.method ?? '', path, authorization, range });
    // The real hub and its storage answer pages of other origins like this. The storage host allows no header that needs permission.
    response.setHeader('Access-Control-Allow-Origin', '*');
    response.setHeader(
      'Access-Control-Expose-Headers',
      'ETag, Content-Range, Accept-Ranges, X-Error-Code, X-Repo-Commit, X-Linked-Etag, X-Linked-Size',
    );
    if (request.method === 'OPTIONS') {
      if (origin === 'hub') response.setHeader('Access-Control-Allow-Headers', 'Authorization, Range');
      response.writeHead(origin === 'hub' ? 204 : 403).end();
    } else if (origin === 'storage') this.#file(path, request, response);
    else if (/^\/api\/(models|datasets)\//.test(path)) this.#info(path, authorization, response);
    else this.#resolve(path, authorization, request, response);
  }

  /** The repository, or the answer that refuses it. */
  #repo(name: string, authorization: string | null, files: boolean, response: ServerResponse): HubRepo | null {
    const repo = this.repos.get(name);
    const known = authorization !== null && this.tokens.has(authorization.replace('Bearer ', ''));
    if (authorization !== null && !known) refuse(response, 401, null);
    // A client that is not logged in does not learn whether a private repository exists.
    else if (!repo) refuse(response, known ? 404 : 401, 'RepoNotFound');
    else if (repo.gated && files && !known) refuse(response, authorization === null ? 401 : 403, 'GatedRepo');
    else return repo;
    return null;
  }

  #info(path: string, authorization: string | null, response: ServerResponse): void {
    const [, name, revision] = /^\/api\/(?:models\/)?(.+)\/revision\/(.+)$/.exec(path) ?? ['', '', ''];
    if (this.#fails(response, '(list)')) return;
    const repo = this.#repo(name, authorization, false, response);
    if (!repo) return;
    if (!isRevision(repo, revision)) return refuse(response, 404, 'RevisionNotFound');
    const siblings = [...repo.files].map(([rfilename, bytes]) => ({
      rfilename,
      size: bytes.byteLength,
      blobId: gitId(isLfs(bytes) ? new TextEncoder().encode(`oid sha256:${sha256(bytes)}`) : bytes),
      ...(isLfs(bytes) && { lfs: { sha256: sha256(bytes), size: bytes.byteLength, pointerSize: 134 } }),
    }));
    const body = { id: name, sha: repo.commit, private: false, gated: repo.gated ? 'manual' : false, tags: ['license:mit'], siblings };
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
  }

  #resolve(path: string, authorization: string | null, request: IncomingMessage, response: ServerResponse): void {
    const [, name, revision, file] = /^\/(.+)\/resolve\/([^/]+)\/(.+)$/.exec(path) ?? ['', '', '', ''];
    const repo = this.#repo(name, authorization, true, response);
    if (!repo) return;
    if (!isRevision(repo, revision)) return refuse(response, 404, 'RevisionNotFound');
    const bytes = repo.files.get(file);
    if (!bytes) return refuse(response, 404, 'EntryNotFound');
    response.setHeader('X-Repo-Commit', repo.commit);
    if (!isLfs(bytes)) return this.#file(path, request, response);
    response.setHeader('X-Linked-Etag', `"${sha256(bytes)}"`);
    response.writeHead(302, { Location: `${this.storageUrl}/${name}/resolve/${revision}/${file}?signature=secret` }).end();
  }

  #file(path: string, request: IncomingMessage, response: ServerResponse): void {
    const [, name, , file] = /^\/(.+)\/resolve\/([^/]+)\/(.+)$/.exec(path) ?? ['', '', '', ''];
    const bytes = this.repos.get(name)?.files.get(file);
    if (!bytes) return refuse(response, 404, null);
    const fault = this.#take(file);
    if (fault?.kind === 'status') return refuse(response, fault.status, null);
    const other = fault?.kind === 'wrong' || fault?.kind === 'changed';
    const whole = other ? bytes.map((byte) => byte ^ 1) : bytes;
    const from = fault?.kind === 'no ranges' ? null : /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
    const start = Number(from?.[1] ?? 0);
    const end = from?.[2] ? Math.min(Number(from[2]) + 1, whole.byteLength) : whole.byteLength;
    if (from && start >= whole.byteLength) return refuse(response, 416, null);
    response.writeHead(from ? 206 : 200, {
      'Content-Type': 'application/octet-stream',
      'Content-Length': end - start,
      ETag: `"${sha256(fault?.kind === 'changed' ? whole : bytes)}"`,
      ...(from && { 'Content-Range': `bytes ${start}-${end - 1}/${whole.byteLength}` }),
    });
    void this.#send(whole.subarray(start, end), start, fault, response);
  }

  async #send(bytes: Uint8Array, start: number, fault: Fault | null, response: ServerResponse): Promise<void> {
    const ends = fault?.kind === 'cut' || fault?.kind === 'stall';
    const part = ends ? bytes.subarray(0, fault.after) : bytes;
    const piece = Math.min(65_536, this.bytesPerSecond / 20);
    for (let at = 0; at < part.byteLength && !response.destroyed; at += piece) {
      response.write(part.subarray(at, at + piece));
      if (this.bytesPerSecond !== Infinity) await new Promise((resolve) => setTimeout(resolve, 50));
    }
    if (fault?.kind === 'cut') {
      await this.#untilHeld(start + part.byteLength);
      response.destroy();
    } else if (fault?.kind !== 'stall') {
      response.end();
    }
  }

  /**
   * Cutting a connection discards bytes that were not read from it, so the cut waits until the other end holds these bytes, however late.
   */
  async #untilHeld(bytes: number): Promise<void> {
    for (let waited = 0; waited < 3000 && (await this.held()) < bytes; waited += 5) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  #fails(response: ServerResponse, path: string): boolean {
    const fault = this.#take(path);
    if (fault?.kind === 'status') refuse(response, fault.status, null);
    return fault?.kind === 'status';
  }

  #take(path: string): Fault | null {
    const at = this.faults.findIndex((entry) => entry.path === path || (entry.path === '*' && path !== '(list)'));
    return at < 0 ? null : this.faults.splice(at, 1)[0].fault;
  }
}

const isLfs = (bytes: Uint8Array): boolean => bytes.byteLength > LFS_FROM;
const isRevision = ({ commit, revisions = [] }: HubRepo, revision: string): boolean => ['main', commit, ...revisions].includes(revision);
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const gitId = (bytes: Uint8Array): string => createHash('sha1').update(`blob ${bytes.byteLength}\0`).update(bytes).digest('hex');

function refuse(response: ServerResponse, status: number, code: string | null): void {
  if (code !== null) response.setHeader('X-Error-Code', code);
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify({ error: code ?? `status ${status}` }));
}

function listen(server: Server): Promise<string> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  });
}
