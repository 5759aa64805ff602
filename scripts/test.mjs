// @ts-check
// npm test: everything that must hold, stage by stage; the first stage that fails ends it with that stage's status.
// npm run test:unit -- <files>, npm run test:e2e -- <files>: one of them, with the arguments passed on.
// The last line is 'N passed, N failed'.

import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { ensureChromium } from './chromium.mjs';
import { gpuEnv } from './gpu-env.mjs';
import { build, ensureBuild, ensureDependencies, root, runTool, say } from './project.mjs';

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */
/** @typedef {{ name: string, run: () => Promise<number>, counts?: () => Counts }} Stage */

const reports = path.join(root, 'test-results');
const unitReport = path.join(reports, 'unit.json');
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
  { name: 'types', run: () => runTool('typescript', 'bin/tsc', ['-p', '.']) },
  { name: 'lint', run: () => runTool('eslint', 'bin/eslint.js', ['--max-warnings', '0', '.']) },
  { name: 'dead code', run: () => runTool('knip', 'bin/knip.js', []) },
  { name: 'format', run: () => runTool('prettier', 'bin/prettier.cjs', ['--check', '--log-level', 'warn', '.']) },
];

// Before the tests: those of the command line run the built programs.
/** @type {Stage} */
const builds = { name: 'build', run: async () => (await build('page')) || (await build('node')) };

/** @type {Stage} */
const unit = {
  name: 'unit and GPU tests',
  run: () => {
    rmSync(unitReport, { force: true });
    return runTool('vitest', 'vitest.mjs', ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${unitReport}`, ...extra], {
      env: gpu,
    });
  },
  counts: () => {
    /** @type {{ numPassedTests: number, numFailedTests: number, numPendingTests: number, numTodoTests: number, testResults: { status: string, assertionResults: unknown[] }[] }} */
    const report = JSON.parse(readFileSync(unitReport, 'utf8'));
    // A file that cannot be loaded has failed, and has no tests to count.
    const broken = report.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0).length;
    return { passed: report.numPassedTests, failed: report.numFailedTests + broken, skipped: report.numPendingTests + report.numTodoTests };
  },
};

/** @type {Stage} */
const endToEnd = {
  name: 'browser tests',
  run: () => {
    rmSync(browserReport, { force: true });
    const env = { CHROME_PATH: chromium, PLAYWRIGHT_JSON_OUTPUT_FILE: browserReport };
    return runTool('@playwright/test', 'cli.js', ['test', '--reporter=list,json', ...extra], { env });
  },
  counts: () => {
    /** @type {{ stats: { expected: number, flaky: number, unexpected: number, skipped: number } }} */
    const { stats } = JSON.parse(readFileSync(browserReport, 'utf8'));
    return { passed: stats.expected + stats.flaky, failed: stats.unexpected, skipped: stats.skipped };
  },
};

/** @type {Stage} */
const freshPage = { name: 'build', run: () => ensureBuild('page').then(() => 0) };

/** @type {Partial<Record<string, Stage[]>>} */
const suites = {
  all: [browser, adapter, ...checks, builds, unit, endToEnd],
  unit: [adapter, unit],
  e2e: [browser, freshPage, endToEnd],
};

/** What a stage counted. A stage that failed counts as one failure at least: a failing run never says '0 failed'. */
function countsOf(/** @type {Stage} */ stage, /** @type {number} */ code) {
  let counts = { passed: 0, failed: 0, skipped: 0 };
  try {
    counts = stage.counts?.() ?? counts;
  } catch {
    // It ended before it wrote its report.
  }
  return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

const stages = suites[suite];
if (stages === undefined || (suite === 'all' && extra.length > 0)) {
  say('Usage: npm test, npm run test:unit -- [arguments for vitest], npm run test:e2e -- [arguments for playwright]');
  process.exit(2);
}

mkdirSync(reports, { recursive: true });
await ensureDependencies();
const total = { passed: 0, failed: 0, skipped: 0 };
/** @type {string[]} */
const summary = [];
let code = 0;
for (const stage of stages) {
  console.log(`\n── ${stage.name}`);
  const begun = performance.now();
  code = await stage.run();
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  const counts = countsOf(stage, code);
  total.passed += counts.passed;
  total.failed += counts.failed;
  total.skipped += counts.skipped;
  const tests = stage.counts === undefined ? '' : `   ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`;
  summary.push(`${code === 0 ? 'ok    ' : 'FAILED'} ${seconds.padStart(7)} s  ${stage.name}${tests}`);
  if (code !== 0) break;
}
const left = stages.length - summary.length;
console.log(`\n── summary\n${summary.join('\n')}${left > 0 ? `\n${left} later stage${left > 1 ? 's' : ''} not run` : ''}`);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = code;
