// @ts-check
// Which faults are planted: a few for every folder, by a seed. A site is identified by its file's name, the text of its
// line and its rule, not by its place, so that moved but unchanged code is still hit.

import { createHash } from 'node:crypto';
import path from 'node:path';
import { typescriptSites } from './rules-ts.mjs';
import { wgslSites } from './rules-wgsl.mjs';

/** @typedef {{ folder: string, file: string, line: number, rule: string, start: number, end: number, before: string, after: string, rank: string }} Mutant */

/** A folder with fewer files of its own counts with the one above it. */
const SMALL_FOLDER = 4;

/** The files below src/ that belong to the program: no tests, and nothing that only tests use. */
export function isSource(/** @type {string} */ file) {
  return (
    /\.(ts|tsx|wgsl)$/.test(file) &&
    !/\.(test|fixture|ref|d|config)\.tsx?$|\.(gpu|process)\.test\./.test(file) &&
    !/(^|\/)(testing|fixtures|assets)\//.test(file)
  );
}

/**
 * Files by the folder that they count with.
 * @param {readonly string[]} files paths below the project, with '/'
 * @returns {Map<string, string[]>}
 */
export function byFolder(files) {
  /** @type {Map<string, string[]>} */
  const own = new Map();
  for (const file of files) own.set(path.posix.dirname(file), [...(own.get(path.posix.dirname(file)) ?? []), file]);
  // The deepest first, so that what a small folder took over moves up with it.
  for (const folder of [...own.keys()].sort((a, b) => b.split('/').length - a.split('/').length || a.localeCompare(b))) {
    const held = own.get(folder) ?? [];
    const above = path.posix.dirname(folder);
    if (held.length >= SMALL_FOLDER || folder === 'src' || !above.startsWith('src')) continue;
    own.delete(folder);
    own.set(above, [...(own.get(above) ?? []), ...held]);
  }
  return new Map([...own].sort(([a], [b]) => a.localeCompare(b)));
}

/** Every fault that can be planted in a file, each with its rank. @returns {Mutant[]} */
export function mutantsOf(
  /** @type {string} */ folder,
  /** @type {string} */ file,
  /** @type {string} */ text,
  /** @type {string} */ seed,
) {
  const sites = file.endsWith('.wgsl') ? wgslSites(text) : typescriptSites(text, file);
  /** @type {Map<string, number>} */
  const seen = new Map();
  return sites.map(({ rule, start, end, replacement }) => {
    const lineStart = text.lastIndexOf('\n', start - 1) + 1;
    const lineEnd = text.indexOf('\n', end) < 0 ? text.length : text.indexOf('\n', end);
    const line = text.slice(lineStart, lineEnd).trim();
    const key = JSON.stringify([seed, path.posix.basename(file), line, rule]);
    // The same rule again on an equal line is a site of its own.
    const nth = seen.get(key) ?? 0;
    seen.set(key, nth + 1);
    return {
      folder,
      file,
      line: text.slice(0, start).split('\n').length,
      rule,
      start,
      end,
      before: text.slice(start, end),
      after: replacement,
      rank: createHash('sha256').update(`${key}${nth}`).digest('hex'),
    };
  });
}

/**
 * The lowest rank that any of `count` sites would have, made comparable between rules: constants are everywhere and awaits
 * are few, and each rule is to have the same chance.
 */
function chance(/** @type {string} */ rank, /** @type {number} */ count) {
  return 1 - (1 - parseInt(rank.slice(0, 12), 16) / 2 ** 48) ** count;
}

/**
 * The site of the lowest rank of each rule, with the rules ordered by rank, too; then, if there are fewer rules than `count`,
 * the next site of each.
 * @param {readonly Mutant[]} mutants
 * @param {number} count
 * @returns {Mutant[]}
 */
export function choose(mutants, count) {
  const sorted = [...mutants].sort((a, b) => (a.rank < b.rank ? -1 : 1));
  const rules = [...new Set(sorted.map(({ rule }) => rule))].map((rule) => sorted.filter((mutant) => mutant.rule === rule));
  const order = rules.sort((a, b) => chance(a[0]?.rank ?? '', a.length) - chance(b[0]?.rank ?? '', b.length));
  const rounds = Array.from({ length: count }, (_, round) => order.flatMap((list) => list[round] ?? []));
  return rounds.flat().slice(0, count);
}

/** The file with the fault in it. */
export function plant(/** @type {string} */ text, /** @type {Pick<Mutant, 'start' | 'end' | 'after'>} */ { start, end, after }) {
  return text.slice(0, start) + after + text.slice(end);
}
