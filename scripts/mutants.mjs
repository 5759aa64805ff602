// @ts-check
// npm run mutants -- [--seed N] [--per-folder 4] [--project DIR] [--folders REGEX] [--out FILE] [--budget-seconds 120]
// Checks that the tests see faults: plants some in every folder of src/, one at a time and chosen by the seed, in a
// copy of the tree in DIR, and runs the tests that can see each. Takes up to an hour. Prints what caught each fault, a
// table by folder, and the faults that survived.
//   caught        a test failed that passes without the fault, or hung; or the linter saw the missing await
//   survived      all tests passed that import the file, or there is none
//   not decided   those that were run within the budget passed

import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { gpuEnv } from './gpu-env.mjs';
import { byFolder, choose, isSource, mutantsOf, plant } from './mutants/choose.mjs';
import { importGraph, inOrder, testsOf } from './mutants/imports.mjs';
import { floatingPromises } from './mutants/lint.mjs';
import { endAll, runTests, writeConfig } from './mutants/vitest.mjs';
import { ensureDependencies, root, say } from './project.mjs';

/** @typedef {import('./mutants/choose.mjs').Mutant} Mutant */
/** @typedef {Mutant & import('./mutants/vitest.mjs').Verdict & { seconds: number }} Tried */

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    'per-folder': { type: 'string', default: '4' },
    project: { type: 'string', default: root },
    folders: { type: 'string', default: '' },
    out: { type: 'string' },
    'budget-seconds': { type: 'string', default: '120' },
  },
});
const project = path.resolve(values.project);
const limit = 1000 * Number(values['budget-seconds']);
const LEFT_OUT = new Set(['.git', 'node_modules', 'dist', 'dist-node', 'runs', 'test-results', 'playwright-report']);

await ensureDependencies();
const { env, adapter } = await gpuEnv();
say(`Seed ${values.seed}; tests run on ${adapter ?? 'no GPU: those that need one fail without a fault, and see none'}.`);

const temporary = mkdtempSync(path.join(os.tmpdir(), 'lisa-mutants-'));
const tree = path.join(temporary, 'tree');
process.once('exit', () => {
  endAll();
  rmSync(temporary, { recursive: true, force: true });
});
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) process.once(signal, () => process.exit(130));
cpSync(project, tree, { recursive: true, filter: (file) => path.dirname(file) !== project || !LEFT_OUT.has(path.basename(file)) });
symlinkSync(path.join(project, 'node_modules'), path.join(tree, 'node_modules'));
writeConfig(tree);

/** The tree's modules, by their paths with '/'. @type {Map<string, string>} */
const texts = new Map(
  ['src', 'scripts', 'tools']
    .flatMap((folder) => readdirSync(path.join(tree, folder), { recursive: true, encoding: 'utf8' }).map((file) => path.join(folder, file)))
    .filter((file) => /\.(ts|tsx|mjs|wgsl)$/.test(file) && !file.includes('node_modules'))
    .map((file) => [file.replaceAll(path.sep, '/'), readFileSync(path.join(tree, file), 'utf8')]),
);
const imports = importGraph(texts);
/** Only the browser tests see a component that no test imports: a fault there would say nothing about the tests here. */
const isSeen = (/** @type {string} */ file) => !file.endsWith('.tsx') || testsOf(file, imports).size > 0;
const sources = [...texts.keys()].filter((file) => file.startsWith('src/') && isSource(file) && isSeen(file));
const mutants = [...byFolder(sources)]
  .filter(([folder]) => new RegExp(values.folders).test(folder))
  .flatMap(([folder, files]) =>
    choose(
      files.flatMap((file) => mutantsOf(folder, file, texts.get(file) ?? '', values.seed)),
      Number(values['per-folder']),
    ),
  );

/** @type {import('./mutants/vitest.mjs').Known} */
const known = { seconds: new Map(), failing: new Set() };
const needed = [...new Set(mutants.flatMap(({ file }) => [...testsOf(file, imports).keys()]))].sort();
say(`${mutants.length} faults; first the ${needed.length} test files that can see them, without a fault …`);
const begun = Date.now();
const plain = needed.length === 0 ? null : await runTests(tree, needed, known, { env, limit: Infinity, learn: true });
if (plain !== null && plain.result !== 'survived') throw new Error(`Without a fault: ${plain.by}.`);
const minutes = () => ((Date.now() - begun) / 60_000).toFixed(1);
say(`… ${minutes()} min; ${known.failing.size === 0 ? 'all pass' : `these fail in any case:\n  ${[...known.failing].join('\n  ')}`}`);

const lint = floatingPromises(tree);

/** @returns {Promise<import('./mutants/vitest.mjs').Verdict>} */
async function attempt(/** @type {Mutant} */ mutant) {
  const { file, rule } = mutant;
  const target = path.join(tree, file);
  const whole = texts.get(file) ?? '';
  const faulty = plant(whole, mutant);
  if (rule === 'await' && (await lint(target, faulty))) return { result: 'caught', by: 'the linter' };
  const tests = inOrder(file, testsOf(file, imports), (test) => known.seconds.get(test) ?? 0);
  if (tests.length === 0) return { result: 'survived', by: 'no test imports the file' };
  writeFileSync(target, faulty);
  try {
    return await runTests(tree, tests, known, { env, limit });
  } finally {
    writeFileSync(target, whole);
  }
}

const oneLine = (/** @type {string} */ text) => text.replace(/\s+/g, ' ');
const describe = (/** @type {Mutant} */ { file, line, rule, before, after }) =>
  `${file}:${line}  ${rule}  ${oneLine(before)} → ${oneLine(after)}`;

/** @type {Tried[]} */
const tried = [];
for (const mutant of mutants) {
  const started = Date.now();
  const verdict = await attempt(mutant);
  tried.push({ ...mutant, ...verdict, seconds: Math.round((Date.now() - started) / 100) / 10 });
  const last = /** @type {Tried} */ (tried.at(-1));
  console.log(`${String(last.seconds).padStart(6)} s  ${describe(mutant)}  ${last.result.toUpperCase()}: ${oneLine(last.by)}`);
  if (values.out !== undefined) writeFileSync(values.out, `${JSON.stringify(summary(), null, 1)}\n`);
}

/** @param {readonly Tried[]} list */
function count(list) {
  const of = (/** @type {string} */ result) => list.filter((one) => one.result === result).length;
  return { planted: list.length, caught: of('caught'), survived: of('survived'), 'not decided': of('not decided') };
}

function summary() {
  const folders = Object.fromEntries(
    [...new Set(tried.map(({ folder }) => folder))].map((f) => [f, count(tried.filter(({ folder }) => folder === f))]),
  );
  const faults = tried.map(({ start: _start, end: _end, rank: _rank, ...rest }) => rest);
  return { seed: values.seed, adapter, minutes: Number(minutes()), total: count(tried), failing: [...known.failing], folders, faults };
}

const { folders, total } = summary();
console.table({ ...folders, total });
for (const result of /** @type {const} */ (['not decided', 'survived'])) {
  const list = tried.filter((one) => one.result === result);
  if (list.length > 0) console.log(`\n${result}:\n${list.map((one) => `  ${describe(one)}  (${one.by})`).join('\n')}`);
}
console.log(
  `\n${total.caught} of ${total.planted} faults caught, ${total['not decided']} not decided; seed ${values.seed}, ${minutes()} min`,
);
