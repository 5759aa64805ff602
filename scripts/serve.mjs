// @ts-check
// A small static server for the built page: this machine only, files below one folder only, and headers that forbid
// the page to load or send anything elsewhere. Run by itself it serves dist: node scripts/serve.mjs [port]

import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import path from 'node:path';
import process from 'node:process';
import { pipeline } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { HUB_HOSTS, policy } from './page/policy.mjs';

/** @type {Record<string, string>} */
const TYPES = {
  '.css': 'text/css; charset=utf-8',
  '.csv': 'text/csv; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.jsonl': 'application/jsonl; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.md': 'text/markdown; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json; charset=utf-8',
  '.woff2': 'font/woff2',
};

/**
 * @typedef {object} HubOptions
 * @property {string} [hub] address of a mirror: the page uses it as its default hub, and may read from it
 * @property {readonly string[]} [redirects] origins that the mirror redirects to, besides the Hub's own
 */

/** An address that can stand in a policy and means one origin there; throws on anything else. */
function originOf(/** @type {string} */ address) {
  const { protocol, origin, username } = new URL(address);
  if (!['http:', 'https:'].includes(protocol) || username !== '') throw new Error(`${address} is not the address of a hub.`);
  return origin;
}

/** Sent with every answer. Scripts, styles, worker and files are the page's own; besides them it may only read from the hub. */
const headersFor = (/** @type {HubOptions} */ { hub, redirects = [] }) => ({
  'Content-Security-Policy': [...policy([...HUB_HOSTS, ...[hub ?? [], redirects].flat().map(originOf)]), "frame-ancestors 'none'"].join(
    '; ',
  ),
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
});

/** A page elsewhere can point its own host name at 127.0.0.1; only these names may ask. */
const LOCAL_NAMES = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * Serves `folder` on 127.0.0.1; rejects with the system's error if the port cannot be opened.
 * @param {string} folder
 * @param {number} [port] 0 lets the system choose
 * @param {HubOptions} [hubOptions]
 * @returns {Promise<{ url: string, port: number, close: () => Promise<void> }>}
 */
export async function serve(folder, port = 0, hubOptions = {}) {
  const { hub, redirects = [] } = hubOptions;
  const site = { base: await realpath(folder), headers: headersFor(hubOptions), hub, redirects };
  const server = createServer((request, response) => {
    answer(site, request, response).catch(() => {
      if (!response.headersSent) refuse(site, response, 500, 'The server failed.');
      else response.destroy();
    });
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(undefined));
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  return {
    url: `http://127.0.0.1:${address.port}/`,
    port: address.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** @typedef {{ base: string, headers: Record<string, string>, hub: string | undefined, redirects: readonly string[] }} Site */

/**
 * @param {Site} site
 * @param {import('node:http').IncomingMessage} request
 * @param {import('node:http').ServerResponse} response
 */
async function answer(site, request, response) {
  const { base, headers, hub, redirects } = site;
  const host = (request.headers.host ?? '').replace(/:\d+$/, '');
  if (!LOCAL_NAMES.has(host)) return refuse(site, response, 403, 'This server answers this machine only.');
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    return refuse(site, response, 405, 'Only GET and HEAD are allowed.');
  }
  // The page asks here which hub is its default.
  if (hub !== undefined && request.url === '/hub.json') {
    response.writeHead(200, { ...headers, 'Content-Type': TYPES['.json'], 'Cache-Control': 'no-cache' });
    return void response.end(JSON.stringify({ url: hub, redirects }));
  }
  const file = await locate(base, request.url ?? '/');
  if (file === null) return refuse(site, response, 404, 'There is no such file.');
  response.writeHead(200, {
    ...headers,
    'Content-Type': TYPES[path.extname(file.path).toLowerCase()] ?? 'application/octet-stream',
    'Content-Length': file.size,
    // Files in assets/ have a hash of their contents in the name; all others may change with the next build.
    'Cache-Control': file.path.startsWith(path.join(base, 'assets') + path.sep) ? 'public, max-age=31536000, immutable' : 'no-cache',
  });
  if (request.method === 'HEAD') return void response.end();
  // A visitor who leaves in the middle of a file ends the stream with an error, which is harmless.
  pipeline(createReadStream(file.path), response, () => {});
}

/**
 * The file that a request names, or null: decoded once, without hidden files, and inside `base` after links are followed.
 * @param {string} base
 * @param {string} url
 */
async function locate(base, url) {
  try {
    const name = decodeURIComponent(url.replace(/[?#].*$/s, ''));
    const parts = name.split('/').filter((part) => part !== '');
    if (!name.startsWith('/') || /[\\\0]/.test(name) || parts.some((part) => part.startsWith('.') || part.includes(':'))) return null;
    const file = await realpath(path.join(base, ...(parts.length === 0 ? ['index.html'] : parts)));
    if (!file.startsWith(base + path.sep)) return null;
    const stats = await stat(file);
    return stats.isFile() ? { path: file, size: stats.size } : null;
  } catch {
    return null; // a name that cannot be decoded, or no such file
  }
}

/**
 * @param {Site} site
 * @param {import('node:http').ServerResponse} response
 * @param {number} status
 * @param {string} text
 */
function refuse(site, response, status, text) {
  response.writeHead(status, { ...site.headers, 'Content-Type': 'text/plain; charset=utf-8' });
  response.end(`${text}\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const dist = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', 'dist');
  const { url } = await serve(dist, Number(process.argv[2] ?? 0));
  console.log(`Serving ${dist} at ${url}`);
}
