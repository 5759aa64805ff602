// @ts-check
// Runs chosen test files of a tree, in a given order, until one fails that did not fail before, all have passed, or the
// time is up.

import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { MARK } from './reporter.mjs';

/** @typedef {{ seconds: Map<string, number>, failing: Set<string> }} Known what each test file takes, and what fails without a fault */
/** @typedef {{ result: 'caught' | 'survived' | 'not decided', by: string }} Verdict */

/** No test of the project may take longer than 60 s; one that reports nothing for this long hangs for good. */
const HANGS = 75_000;

const CONFIG = 'mutants.vitest.config.ts';
const ORDER = 'LISA_MUTANTS_ORDER';

/** Writes the tree's own vitest configuration, with files in the order that the environment gives. */
export function writeConfig(/** @type {string} */ tree) {
  const text = `
    import path from 'node:path';
    import { BaseSequencer } from 'vitest/node';
    import config from './vitest.config.ts';

    const order = (process.env.${ORDER} ?? '').split(',');
    class Ordered extends BaseSequencer {
      sort(files) {
        const at = (file) => order.indexOf(path.relative(import.meta.dirname, file.moduleId).replaceAll(path.sep, '/'));
        return Promise.resolve([...files].sort((a, b) => at(a) - at(b)));
      }
    }
    const { test } = config;
    // Projects run one after the other: the one of the first file comes first.
    const serialFirst = /\\.(gpu|process)\\.test\\./.test(order[0]);
    const projects = test.projects?.map((project) => {
      const serial = project.test.pool === 'forks';
      return { ...project, test: { ...project.test, sequence: { groupOrder: serial === serialFirst ? 0 : 1 } } };
    });
    const sequence = { ...test.sequence, sequencer: Ordered };
    export default { ...config, cacheDir: '.vitest-cache', test: { ...test, sequence, ...(projects && { projects }) } };
  `;
  writeFileSync(path.join(tree, CONFIG), text);
}

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();

/** Ends what was started here, with the processes that it started. */
export function endAll() {
  for (const child of running) end(child);
}

function end(/** @type {import('node:child_process').ChildProcess} */ child) {
  try {
    if (child.pid !== undefined) process.kill(process.platform === 'win32' ? child.pid : -child.pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/**
 * Runs the files and learns from it what each takes.
 * @param {string} tree
 * @param {readonly string[]} files
 * @param {Known} known
 * @param {{ env: Record<string, string>, limit: number, learn?: boolean }} options limit in ms; `learn` runs everything
 * and notes what fails
 * @returns {Promise<Verdict>}
 */
export function runTests(tree, files, known, { env, limit, learn = false }) {
  const program = path.join(tree, 'node_modules/vitest/vitest.mjs');
  const reporter = fileURLToPath(new URL('./reporter.mjs', import.meta.url));
  const args = [program, 'run', '--config', CONFIG, '--reporter', reporter, ...files];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd: tree,
      env: { ...process.env, ...env, [ORDER]: files.join(','), NODE_OPTIONS: '--max-old-space-size=3000' },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: process.platform !== 'win32',
    });
    running.add(child);
    const begun = Date.now();
    let heard = begun;
    let test = 'loading';
    let rest = '';
    let errors = '';
    let ended = false;
    /** @type {Set<string>} */
    const finished = new Set();

    const settle = (/** @type {Verdict} */ verdict) => {
      clearInterval(timer);
      end(child);
      running.delete(child);
      resolve(verdict);
    };
    const fail = (/** @type {string} */ name) => {
      if (learn) known.failing.add(name);
      else if (!known.failing.has(name)) settle({ result: 'caught', by: name });
    };
    const timer = setInterval(() => {
      if (Date.now() - heard > HANGS) settle({ result: 'caught', by: `${test || 'a test file'} hangs` });
    }, 1000);

    function hear(/** @type {import('./reporter.mjs').Event} */ event) {
      heard = Date.now();
      if (event.type === 'begin') test = event.test;
      if (event.type === 'result') {
        test = '';
        if (event.failed) fail(`${event.file} > ${event.test}`);
      }
      if (event.type === 'file') {
        test = '';
        finished.add(event.file);
        if (learn) known.seconds.set(event.file, event.seconds);
        if (event.failed) fail(`${event.file} as a whole`);
      }
      if (event.type === 'end') {
        ended = true;
        for (const message of event.errors) fail(`an error outside of tests: ${message.split('\n')[0]}`);
      }
      // Never in the middle of a test: it may be the one that hangs.
      if (event.type !== 'begin' && !ended && Date.now() - begun > limit)
        settle({ result: 'not decided', by: `${finished.size} of ${files.length} test files passed` });
    }
    child.stdout.on('data', (/** @type {Buffer} */ chunk) => {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line.startsWith(MARK)) hear(JSON.parse(line.slice(MARK.length)));
    });
    child.stderr.on('data', (/** @type {Buffer} */ chunk) => (errors = (errors + chunk.toString()).slice(-4000)));
    child.once('error', reject);
    child.once('close', () => {
      if (!ended && learn) reject(new Error(`vitest ended early:\n${errors}`));
      else if (!ended) settle({ result: 'caught', by: `the test process ended in ${test || 'between tests'}` });
      else settle({ result: 'survived', by: `${finished.size} test files passed` });
    });
  });
}
