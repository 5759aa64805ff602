// @ts-check
// Vite's part in a page that works from any static host: the policy as a meta tag, and the service worker with the files of the
// build. Both are made at the build only: the development server injects scripts that the policy would refuse.

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { policy } from './policy.mjs';

const here = import.meta.dirname;

/** @returns {import('vite').Plugin} */
export function staticHost() {
  let publicDir = '';
  return {
    name: 'static-host',
    apply: 'build',
    configResolved(config) {
      publicDir = config.publicDir;
    },
    transformIndexHtml: () => [
      {
        tag: 'meta',
        // The worker asks the Hub, not the page; and a meta tag cannot say frame-ancestors.
        attrs: { 'http-equiv': 'Content-Security-Policy', content: policy([]).join('; ') },
        injectTo: 'head-prepend',
      },
    ],
    generateBundle: {
      order: 'post',
      handler(_, bundle) {
        const hash = createHash('sha256');
        const made = Object.values(bundle).filter(({ fileName }) => !fileName.endsWith('.map') && fileName !== 'licenses.md');
        for (const file of made) hash.update(file.fileName).update(file.type === 'chunk' ? file.code : file.source);
        const fixed = filesBelow(publicDir);
        for (const file of fixed) hash.update(file).update(readFileSync(path.join(publicDir, file)));
        const files = ['./', ...made.map(({ fileName }) => fileName).filter((name) => name !== 'index.html'), ...fixed];
        const source = readFileSync(path.join(here, 'service-worker.js'), 'utf8')
          .replace('%VERSION%', hash.digest('hex').slice(0, 16))
          .replace('%FILES%', () => JSON.stringify(files));
        this.emitFile({ type: 'asset', fileName: 'service-worker.js', source });
      },
    },
  };
}

/** Paths relative to the folder, with forward slashes. @returns {string[]} */
function filesBelow(/** @type {string} */ folder, below = '') {
  return readdirSync(path.join(folder, below)).flatMap((name) => {
    const file = path.posix.join(below, name);
    return statSync(path.join(folder, file)).isDirectory() ? filesBelow(folder, file) : [file];
  });
}
