// @ts-check
// The lint rule that files of src/ must not import each other in a circle, types included. Every import that leads back
// to its own file is reported, with the shortest way back. Tests are left out: nothing imports them.

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { eachImport } from './imports.mjs';

/** @typedef {ReadonlyMap<string, readonly string[]>} Graph what each file imports, by absolute paths */

/** @type {Map<string, Graph>} */
const graphs = new Map();

/**
 * Read once for all files of a lint run.
 * @param {string} folder
 * @returns {Graph}
 */
function graphOf(folder) {
  const known = graphs.get(folder);
  if (known) return known;
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name) && !/\.test\.tsx?$/.test(name))
    .map((name) => path.join(folder, name));
  const exists = new Set(files);
  const graph = new Map(files.map((file) => [file, importsOf(file, exists)]));
  graphs.set(folder, graph);
  return graph;
}

/** @type {(file: string, exists: ReadonlySet<string>) => string[]} */
function importsOf(file, exists) {
  // TypeScript's own scanner: it finds imports of values and of types, exports from elsewhere, and both kinds of import('…').
  const { importedFiles } = ts.preProcessFile(readFileSync(file, 'utf8'), true, true);
  return importedFiles.flatMap(({ fileName }) => resolve(file, fileName, exists) ?? []);
}

/** @type {(file: string, source: string, exists: { has(file: string): boolean }) => string | undefined} */
function resolve(file, source, exists) {
  if (!source.startsWith('.')) return undefined;
  const target = path.join(path.dirname(file), source);
  return [target, `${target}.ts`, `${target}.tsx`].find((candidate) => exists.has(candidate));
}

/**
 * The shortest way along imports, both ends included; null if there is none.
 * @param {Graph} graph
 * @param {string} from
 * @param {string} to
 */
function wayBetween(graph, from, to) {
  /** @type {Map<string, string | null>} */
  const cameFrom = new Map([[from, null]]);
  for (const file of cameFrom.keys()) {
    if (file === to) {
      const way = [];
      for (let at = /** @type {string | null} */ (to); at !== null; at = cameFrom.get(at) ?? null) way.unshift(at);
      return way;
    }
    for (const next of graph.get(file) ?? []) if (!cameFrom.has(next)) cameFrom.set(next, file);
  }
  return null;
}

/** @type {import('eslint').Rule.RuleModule} */
export const circles = {
  meta: {
    type: 'problem',
    schema: [],
    messages: { circle: 'These files import each other in a circle: {{way}}.' },
  },
  create(context) {
    const folder = path.join(context.cwd, 'src');
    const file = context.filename;
    if (!file.startsWith(folder + path.sep) || /\.test\.tsx?$/.test(file)) return {};
    const graph = graphOf(folder);

    return eachImport((node, source) => {
      const target = resolve(file, source, graph);
      const way = target === undefined ? null : wayBetween(graph, target, file);
      if (way === null) return;
      const names = [file, ...way].map((name) => path.relative(folder, name).split(path.sep).join('/'));
      context.report({ node, messageId: 'circle', data: { way: names.join(' → ') } });
    });
  },
};
