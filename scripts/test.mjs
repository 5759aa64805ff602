// @ts-check
// npm test: everything that must hold, stage by stage; the first stage that fails ends it with that stage's status.
// npm run test:unit -- <files>, npm run test:e2e -- <files>: one of them, with the arguments passed on; npm run
// test:pure: the tests that need no GPU. Tests that share a GPU run one after another, on about one core of a software
// adapter; what needs neither GPU nor browser runs beside them. A browser with a software GPU takes two cores by itself, so
// that its tests come last, alone. The last line is 'N passed, N failed'.

import { closeSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { ensureChromium } from './chromium.mjs';
import { gpuEnv } from './gpu-env.mjs';
import { build, ensureBuild, ensureDependencies, root, runTool, say } from './project.mjs';

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */
/** @typedef {import('node:child_process').StdioOptions} Output where a stage's programs print to */
/** @typedef {{ name: string, run: (stdio: Output) => Promise<number>, counts?: () => Counts }} Stage */

const reports = path.join(root, 'test-results');
const browserReport = path.join(reports, 'e2e.json');

const [suite = 'all', ...extra] = process.argv.slice(2);

// Found by one stage, used by a later one.
let chromium = '';
/** @type {Record<string, string>} */
let gpu = {};

/** @type {Stage} */
const browser = {
  name: 'find a browser',
  run: async () => {
    const found = await ensureChromium();
    if (found === null) return 1;
    chromium = found;
    console.log(found);
    return 0;
  },
};

/** @type {Stage} */
const adapter = {
  name: 'find a GPU for Node',
  run: async () => {
    const found = await gpuEnv();
    gpu = found.env;
    console.log(
      found.adapter ?? 'Dawn found no adapter. Install a Vulkan driver, or Chromium, which brings a software driver (SwiftShader).',
    );
    return found.adapter === null ? 1 : 0;
  },
};

/** @type {Stage[]} */
const checks = [
  { name: 'types', run: (stdio) => runTool('oxlint', 'bin/oxlint', ['--type-aware', '--type-check', '.'], { stdio, background: true }) },
  { name: 'lint', run: (stdio) => runTool('eslint', 'bin/eslint.js', ['--max-warnings', '0', '.'], { stdio, background: true }) },
  { name: 'dead code', run: (stdio) => runTool('knip', 'bin/knip.js', [], { stdio, background: true }) },
  {
    name: 'format',
    run: (stdio) => runTool('prettier', 'bin/prettier.cjs', ['--check', '--log-level', 'warn', '.'], { stdio, background: true }),
  },
];

// Before the tests: those of the command line run the built programs, and those in a browser the page.
/** @type {Stage} */
const builds = { name: 'build', run: async (stdio) => (await build('page', { stdio })) || (await build('node', { stdio })) };

/**
 * Tests of vitest's projects (vitest.config.ts); all of them if none is named.
 * @param {string} name
 * @param {readonly string[]} projects
 * @returns {Stage}
 */
function tests(name, ...projects) {
  const file = path.join(reports, `${projects[0] ?? 'unit'}.json`);
  return {
    name,
    run: (stdio) => {
      rmSync(file, { force: true });
      const chosen = projects.map((project) => `--project=${project}`);
      const args = ['run', ...chosen, '--reporter=default', '--reporter=json', `--outputFile.json=${file}`, ...extra];
      // The tests on the GPU take longer than all that runs beside them, so that they go first.
      return runTool('vitest', 'vitest.mjs', args, { env: gpu, stdio, background: projects[0] === 'pure' });
    },
    counts: () => {
      /** @type {{ numPassedTests: number, numFailedTests: number, numPendingTests: number, numTodoTests: number, testResults: { status: string, assertionResults: unknown[] }[] }} */
      const report = JSON.parse(readFileSync(file, 'utf8'));
      // A file that cannot be loaded has failed, and has no tests to count.
      const broken = report.testResults.filter(
        ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
      ).length;
      return {
        passed: report.numPassedTests,
        failed: report.numFailedTests + broken,
        skipped: report.numPendingTests + report.numTodoTests,
      };
    },
  };
}

const pure = tests('pure tests', 'pure');

/** @type {Stage} */
const endToEnd = {
  name: 'browser tests',
  run: (stdio) => {
    rmSync(browserReport, { force: true });
    const env = { CHROME_PATH: chromium, PLAYWRIGHT_JSON_OUTPUT_FILE: browserReport };
    return runTool('@playwright/test', 'cli.js', ['test', '--reporter=list,json', ...extra], { env, stdio });
  },
  counts: () => {
    /** @type {{ stats: { expected: number, flaky: number, unexpected: number, skipped: number } }} */
    const { stats } = JSON.parse(readFileSync(browserReport, 'utf8'));
    return { passed: stats.expected + stats.flaky, failed: stats.unexpected, skipped: stats.skipped };
  },
};

/** @type {Stage} */
const freshPage = { name: 'build', run: () => ensureBuild('page').then(() => 0) };

if (suite === 'slow') {
  // Tests read it: see these files.
  process.env.LISA_SLOW = '1';
  const slow = ['oracle', 'golden', 'overfit', 'resume', 'layouts', 'recompute', 'optimizer-state'].map((name) => `src/train/${name}`);
  extra.push(...slow, 'src/shaders/matmul', 'src/shaders/attention', 'src/shaders/storage');
}

/**
 * Stages run one after another; the inner lists of a list of lists are lanes that run beside each other.
 * @type {Partial<Record<string, (Stage | Stage[][])[]>>}
 */
const suites = {
  all: [browser, adapter, builds, [[...checks, pure], [tests('GPU tests', 'gpu')]], endToEnd],
  unit: [adapter, tests('unit and GPU tests')],
  pure: [pure],
  slow: [adapter, tests('slow proofs', 'gpu')],
  e2e: [browser, freshPage, endToEnd],
};

/** What a stage counted. A stage that failed counts as at least one failure: a failing run never says '0 failed'. */
function countsOf(/** @type {Stage} */ stage, /** @type {number} */ code) {
  let counts = { passed: 0, failed: 0, skipped: 0 };
  try {
    counts = stage.counts?.() ?? counts;
  } catch {
    // It ended before it wrote its report.
  }
  return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

const plan = suites[suite];
if (plan === undefined || (suite === 'all' && extra.length > 0)) {
  say('Usage: npm test, npm run test:unit, test:pure, test:slow -- [arguments for vitest], npm run test:e2e -- [arguments for playwright]');
  process.exit(2);
}

mkdirSync(reports, { recursive: true });
await ensureDependencies();
const total = { passed: 0, failed: 0, skipped: 0 };
/** @type {string[]} */
const summary = [];
let status = 0;

/** Runs a stage and records its result. */
async function perform(/** @type {Stage} */ stage, /** @type {Output} */ stdio) {
  const begun = performance.now();
  const code = await stage.run(stdio);
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  const counts = countsOf(stage, code);
  total.passed += counts.passed;
  total.failed += counts.failed;
  total.skipped += counts.skipped;
  const tests = stage.counts === undefined ? '' : `   ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`;
  summary.push(`${code === 0 ? 'ok    ' : 'FAILED'} ${seconds.padStart(7)} s  ${stage.name}${tests}`);
  status ||= code;
}

/** Stages of a lane, until one of any lane fails. Their output is shown when they have ended, so that no two are mixed. */
async function lane(/** @type {Stage[]} */ stages) {
  for (const stage of stages) {
    if (status !== 0) return;
    const log = path.join(reports, `${stage.name.replaceAll(' ', '-')}.log`);
    const file = openSync(log, 'w');
    console.log(`── ${stage.name} …`);
    await perform(stage, ['ignore', file, file]);
    closeSync(file);
    console.log(`\n── ${stage.name}\n${readFileSync(log, 'utf8')}`);
  }
}

for (const next of plan) {
  if (status !== 0) break;
  if (Array.isArray(next)) {
    await Promise.all(next.map(lane));
  } else {
    console.log(`\n── ${next.name}`);
    await perform(next, 'inherit');
  }
}
const left = plan.flat(2).length - summary.length;
console.log(`\n── summary\n${summary.join('\n')}${left > 0 ? `\n${left} later stage${left > 1 ? 's' : ''} not run` : ''}`);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = status;
