// @ts-check
// Which tests can see a file: those that import it, directly or through other files. Types do not count: they are gone
// at run time.

import path from 'node:path';

/** @typedef {Map<string, string[]>} Imports what each file imports */

const SPECIFIERS = [
  /(?:^|[\n;}])\s*(?:import|export)\s+(?!type\b)(?:[\w*{][^;'"`]*?\bfrom\s*)?['"]([^'"\n]+)['"]/g,
  /\bimport\(\s*['"]([^'"\n]+)['"]/g,
  /new URL\(\s*['"]([^'"\n]+)['"]\s*,\s*import\.meta\.url/g,
];

/** What a file names by import, export … from, import() and new URL(…, import.meta.url). @returns {string[]} */
export function specifiers(/** @type {string} */ text) {
  const code = text.replace(/^\s*\/\/.*$/gm, '').replace(/\/\*\*[\s\S]*?\*\//g, '');
  return SPECIFIERS.flatMap((pattern) => [...code.matchAll(pattern)].map((match) => match[1] ?? ''));
}

/** The project's file that a specifier stands for; null if it is a package or does not exist. @returns {string | null} */
function resolve(/** @type {string} */ from, /** @type {string} */ specifier, /** @type {(file: string) => boolean} */ exists) {
  if (!specifier.startsWith('.')) return null;
  const target = path.posix.join(path.posix.dirname(from), specifier.replace(/\?.*$/, ''));
  const bare = target.replace(/\.m?js$/, '');
  return [target, ...['.ts', '.tsx', '.mjs', '/index.ts', '/index.tsx'].map((end) => target + end), `${bare}.ts`].find(exists) ?? null;
}

/** A test that starts a program through run-node.mjs sees every file of that program. @returns {string[]} */
function startedPrograms(/** @type {string} */ text, /** @type {readonly string[]} */ files) {
  if (!text.includes('run-node.mjs')) return [];
  const names = new Set([...text.matchAll(/'([a-z-]+)'/g)].map((match) => `${match[1]}.ts`));
  return files.filter((file) => file.startsWith('src/cli/') && names.has(path.posix.basename(file)));
}

/** @returns {Imports} */
export function importGraph(/** @type {Map<string, string>} */ texts) {
  const files = [...texts.keys()];
  return new Map(
    [...texts].map(([file, text]) => {
      const named = specifiers(text).flatMap((specifier) => resolve(file, specifier, (path) => texts.has(path)) ?? []);
      return [file, [...new Set([...named, ...(isTest(file) ? startedPrograms(text, files) : [])])]];
    }),
  );
}

function isTest(/** @type {string} */ file) {
  return /\.test\.tsx?$/.test(file);
}

/** Tests that import `file`, with the number of imports between. @returns {Map<string, number>} */
export function testsOf(/** @type {string} */ file, /** @type {Imports} */ imports) {
  /** @type {Map<string, string[]>} */
  const importers = new Map();
  for (const [from, targets] of imports) for (const target of targets) importers.set(target, [...(importers.get(target) ?? []), from]);
  const distance = new Map([[file, 0]]);
  for (const [at, steps] of distance) for (const from of importers.get(at) ?? []) if (!distance.has(from)) distance.set(from, steps + 1);
  return new Map([...distance].filter(([name]) => isTest(name)));
}

/**
 * In the order in which they are run: those beside the file first, then by what they take and how far away they are.
 * @param {string} file
 * @param {Map<string, number>} tests of testsOf()
 * @param {(test: string) => number} seconds what a test file takes
 */
export function inOrder(file, tests, seconds) {
  const cost = (/** @type {string} */ test) => (seconds(test) + 0.3) * 2 ** (tests.get(test) ?? 0);
  const beside = (/** @type {string} */ test) => path.posix.dirname(test) === path.posix.dirname(file);
  return [...tests.keys()].sort((a, b) => Number(beside(b)) - Number(beside(a)) || cost(a) - cost(b) || a.localeCompare(b));
}
