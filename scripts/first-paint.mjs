// @ts-check
// npm run first-paint: the scripts of the built page that load before its first paint, gzipped, against their limit.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { root } from './project.mjs';

/** Bytes. */
const LIMIT = 160_000;

/** The entry of dist/index.html and what it imports statically, however deep. */
export function firstPaint(dist = path.join(root, 'dist')) {
  const assets = path.join(dist, 'assets');
  /** @type {Map<string, number>} */
  const files = new Map();
  /** @param {string} name */
  const follow = (name) => {
    if (files.has(name)) return;
    const bytes = readFileSync(path.join(assets, name));
    files.set(name, gzipSync(bytes, { level: 9 }).byteLength);
    for (const [, found] of bytes.toString().matchAll(/(?:from|import)\s*"\.\/([^"]+\.js)"/g)) follow(found);
  };
  for (const [, found] of readFileSync(path.join(dist, 'index.html'), 'utf8').matchAll(/assets\/([^"]+\.js)"/g)) follow(found);
  const total = [...files.values()].reduce((sum, bytes) => sum + bytes, 0);
  return { files, total, limit: LIMIT };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { files, total, limit } = firstPaint();
  const kB = (/** @type {number} */ bytes) => `${(bytes / 1000).toFixed(1)} kB`;
  for (const [name, bytes] of [...files].sort(([, a], [, b]) => b - a)) console.log(`${kB(bytes).padStart(9)}  ${name}`);
  console.log(`${kB(total).padStart(9)}  in all, of at most ${kB(limit)}`);
  if (files.size === 0 || total > limit) process.exitCode = 1;
}
