// @ts-check
// npm run bench:page: what the charts of a long run cost the page's main thread, and how much heap its numbers take.
// Builds e2e/bench, opens it in Chromium, and fills it with the steps of the recorded run, repeated.
// node scripts/chart-bench.mjs [--steps 100000] [--recording <file>] [--build <folder>]

import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { chromium } from '@playwright/test';
import { ensureChromium } from './chromium.mjs';
import { ensureDependencies, root, runTool, say } from './project.mjs';
import { serve } from './serve.mjs';

/** @typedef {import('../e2e/bench/main.tsx').Bench} Bench */
/** @typedef {import('../e2e/bench/main.tsx').Timing} Timing */

const UPDATES = 60;
const WARM_UP = 10;
/** New steps per update: ten updates a second for a run that makes a hundred steps a second. */
const STEPS_PER_UPDATE = 10;
/** The longest task that the page may have while it trains, in ms. */
const LONGEST = 50;

const { values } = parseArgs({
  options: { steps: { type: 'string', default: '100000' }, recording: { type: 'string', default: 'public/recorded/run.json' } },
});
const steps = Number(values.steps);
const recording = path.resolve(root, values.recording);
if (!Number.isInteger(steps) || steps < 1000 || !existsSync(recording)) {
  say(`Usage: npm run bench:page -- [--steps 100000] [--recording file]; the recording is ${recording}.`);
  process.exit(2);
}

await ensureDependencies();
const executablePath = await ensureChromium();
if (executablePath === null) process.exit(1);
const built = mkdtempSync(path.join(tmpdir(), 'lisa-chart-bench-'));
const code = await runTool('vite', 'bin/vite.js', ['build', '--config', 'vite.bench.config.ts', '--outDir', built, '--logLevel', 'error']);
if (code !== 0) process.exit(code);
copyFileSync(recording, path.join(built, 'recording.json'));
const server = await serve(built);
const browser = await chromium.launch({
  executablePath,
  args: ['--headless=new', '--js-flags=--expose-gc', ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])],
});
try {
  process.exitCode = await measure();
} finally {
  await browser.close();
  await server.close();
  rmSync(built, { recursive: true, force: true });
}

async function measure() {
  const page = await browser.newPage({ viewport: { width: 1440, height: 1000 } });
  page.on('pageerror', (error) => say(`The page failed: ${error.message}`));
  const open = async () => {
    await page.goto(server.url);
    await page.waitForFunction(() => 'bench' in window);
  };
  await open();
  const client = await page.context().newCDPSession(page);
  const heap = async () => {
    await client.send('HeapProfiler.collectGarbage');
    return (await client.send('Runtime.getHeapUsage')).usedSize + (await client.send('Runtime.getHeapUsage')).backingStorageSize;
  };
  const call = (/** @type {(bench: Bench) => unknown} */ body) => page.evaluate(`(${body})(window.bench)`);

  console.log(`Chromium ${browser.version()}, ${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores`);
  await page.evaluate(([n]) => /** @type {any} */ (window).bench.fill(n, 10), [steps]);
  const before = await heap();
  const done = steps - (UPDATES + WARM_UP) * STEPS_PER_UPDATE;
  const parts = /** @type {string[]} */ (await call((bench) => bench.parts));
  await page.evaluate(([n, done]) => /** @type {any} */ (window).bench.fill(n, done), [steps, done]);
  const after = await heap();
  console.log(`${steps.toLocaleString('en-US')} steps; their numbers take ${((after - before) / 1e6).toFixed(1)} MB of heap`);

  // Processor time: it does not include what else the machine does.
  await client.send('Performance.enable', { timeDomain: 'threadTicks' });
  const cpu = async () =>
    1000 * ((await client.send('Performance.getMetrics')).metrics.find(({ name }) => name === 'ThreadTime')?.value ?? NaN);
  const update = (/** @type {string} */ part) =>
    page.evaluate(
      ([name, each]) => /** @type {any} */ (window).bench.update(name, 1, each),
      /** @type {const} */ ([part, STEPS_PER_UPDATE]),
    );
  let worst = 0;
  const heads = ['script', 'frame', 'worst frame', 'cpu', 'worst cpu'];
  console.log(`${'ms an update'.padEnd(14)}${heads.map((name) => name.padStart(13)).join('')}   over ${UPDATES} updates`);
  for (const part of parts) {
    // A fresh page for each part, so that the garbage of earlier parts does not count.
    await open();
    await page.evaluate(([n, done]) => /** @type {any} */ (window).bench.fill(n, done), [steps, done]);
    await page.evaluate((name) => /** @type {any} */ (window).bench.mount(name), part);
    for (let i = 0; i < WARM_UP; i++) await update(part);
    /** @type {Timing[]} */
    const timings = [];
    /** @type {number[]} */
    const spent = [];
    for (let i = 0; i < UPDATES; i++) {
      const begun = await cpu();
      timings.push(...(await update(part)));
      spent.push((await cpu()) - begun);
    }
    const frames = timings.map(({ frame }) => frame);
    worst = Math.max(worst, ...spent);
    const row = [median(timings.map(({ script }) => script)), median(frames), Math.max(...frames), median(spent), Math.max(...spent)];
    console.log(`${part.padEnd(14)}${row.map((ms) => ms.toFixed(1).padStart(13)).join('')}`);
  }
  if (worst <= LONGEST) return 0;
  console.log(`An update took ${worst.toFixed(0)} ms of processor time: more than the ${LONGEST} ms that a task may take.`);
  return 1;
}

/** @param {number[]} values */
function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}
