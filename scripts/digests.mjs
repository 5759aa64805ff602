// @ts-check
// npm run digests -- [--project DIR] [--out FILE] [--against FILE] [--checkpoints DIR] [--only REGEX]
// Shows that two trees of the project train the same bits: trains tiny models with the command line of the tree in DIR
// and prints the results of each run as JSON: the digests of the tuned model, of metrics.jsonl without its times and of
// the report's figures, the layers drawn, and the bytes on the GPU. --against compares with an earlier file and fails
// if anything differs. Digests belong to one driver: both files must come from the same.
// --checkpoints: where the checkpoints that runs are resumed from are kept; if one is already there, from another tree,
// runs resume from it instead of from a new one.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { CASES, COMMON, MODELS } from './digests/cases.mjs';
import { dataRows, writeModel } from './digests/models.mjs';
import { gpuEnv } from './gpu-env.mjs';
import { ensureDependencies, root, say } from './project.mjs';

/** @typedef {{ model: string, metrics: string, report: string, schedule: string, memory: number, seconds?: number }} Digest */
/** @typedef {{ adapter: string, cases: Record<string, Digest> }} Digests */

const { values } = parseArgs({
  options: {
    project: { type: 'string', default: root },
    out: { type: 'string' },
    against: { type: 'string' },
    checkpoints: { type: 'string' },
    only: { type: 'string', default: '' },
  },
});
const project = path.resolve(values.project);
const chosen = Object.entries(CASES).filter(([name]) => new RegExp(values.only).test(name));

await ensureDependencies();
const { env, adapter } = await gpuEnv();
if (adapter === null) {
  say('Dawn found no adapter. Install a Vulkan driver, or Chromium, which brings a software driver.');
  process.exit(1);
}
/** @type {Digests | null} */
const before = values.against === undefined ? null : JSON.parse(readFileSync(values.against, 'utf8'));
if (before !== null && before.adapter !== adapter) {
  say(`${values.against} is of ${before.adapter}; here is ${adapter}. Drivers round differently: compare on the same one.`);
  process.exit(2);
}

const folder = mkdtempSync(path.join(os.tmpdir(), 'lisa-digests-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) process.once(signal, () => process.exit(130));

Object.entries(MODELS).forEach(([name, { description, dtype }], i) => writeModel(path.join(folder, name), description, dtype, 100 + i));
const data = path.join(folder, 'rows.jsonl');
writeFileSync(data, dataRows(40, 7));

/**
 * Runs `finetune` of the project. With `stopAfter`, kills it in the step after that one.
 * @param {Record<string, string>} options
 * @param {number} [stopAfter]
 * @returns {Promise<Record<string, any>[]>} its events; the last is the report, unless it was killed
 */
function finetune(options, stopAfter) {
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['scripts/run-node.mjs', 'finetune', '--json', ...args], {
      cwd: project,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    /** @type {Record<string, any>[]} */
    const events = [];
    let rest = '';
    let errors = '';
    child.stdout.on('data', (/** @type {Buffer} */ chunk) => {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) events.push(JSON.parse(line));
      if (stopAfter !== undefined && (events.findLast(({ type }) => type === 'step')?.metrics.step ?? 0) > stopAfter) child.kill('SIGKILL');
    });
    child.stderr.on('data', (/** @type {Buffer} */ chunk) => (errors += chunk.toString()));
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (signal === 'SIGKILL' && stopAfter !== undefined) resolve(events);
      else if (code !== 0 || stopAfter !== undefined)
        reject(new Error(`finetune ${args.join(' ')} ended with ${code ?? signal}:\n${errors}`));
      else resolve(events);
    });
  });
}

/** @returns {string} */
function sha256(/** @type {string | Buffer} */ contents) {
  return createHash('sha256').update(contents).digest('hex');
}

/** The folder of a run that stopped after `step`: a kept one, or a new one. */
async function interrupted(/** @type {string} */ name, /** @type {Record<string, string>} */ options, /** @type {number} */ step) {
  const half = path.join(folder, `${name} half`);
  const kept = values.checkpoints === undefined ? null : path.resolve(values.checkpoints, name.replaceAll(' ', '-'));
  if (kept !== null && existsSync(kept)) {
    cpSync(kept, half, { recursive: true });
    return half;
  }
  await finetune({ ...options, out: half }, step);
  if (!existsSync(path.join(half, 'checkpoint', `step-${step}.safetensors`)))
    throw new Error(`${name}: the run was to leave the checkpoint of step ${step}, and there is none.`);
  if (kept !== null) cpSync(half, kept, { recursive: true });
  return half;
}

/** @returns {Promise<Digest>} */
async function digest(/** @type {string} */ name, /** @type {import('./digests/cases.mjs').Case} */ { model, options, stopAfter }) {
  const from = { model: path.join(folder, model), data };
  const asked = { ...from, ...COMMON, ...options };
  const out = path.join(folder, name);
  const begun = performance.now();
  const events =
    stopAfter === undefined
      ? await finetune({ ...asked, out })
      : await finetune({ ...from, resume: await interrupted(name, asked, stopAfter), out });
  const seconds = Math.round((performance.now() - begun) / 100) / 10;
  const first = events.find(({ type }) => type === 'step')?.metrics.step;
  if (first !== (stopAfter ?? 0) + 1) throw new Error(`${name}: the first step was ${first}.`);
  const metrics = readFileSync(path.join(out, 'metrics.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.stringify({ ...JSON.parse(line), stepMs: 0 }));
  const { schedule, memory, evalLoss, updates, parameters, trainable, stored } = JSON.parse(
    readFileSync(path.join(out, 'report.json'), 'utf8'),
  );
  const samples = events.filter(({ type }) => type === 'sample').map(({ sample }) => sample);
  const result = {
    model: sha256(readFileSync(path.join(out, 'model.safetensors'))),
    metrics: sha256(metrics.join('\n')),
    report: sha256(JSON.stringify({ evalLoss, updates, parameters, trainable, stored, samples })),
    schedule: schedule
      .map((/** @type {{ firstStep: number, layers: number[] }} */ { firstStep, layers }) => `${firstStep}: ${layers}`)
      .join('; '),
    memory: memory.peak.total,
    seconds,
  };
  for (const done of [out, `${out} half`]) rmSync(done, { recursive: true, force: true });
  return result;
}

/** @type {Digests} */
const after = { adapter, cases: {} };
/** @type {string[]} */
const differences = [];
/** Writes what there is after every run: all of them take a while. */
function save() {
  if (values.out === undefined) return;
  mkdirSync(path.dirname(path.resolve(values.out)), { recursive: true });
  writeFileSync(values.out, `${JSON.stringify(after, null, 2)}\n`);
}

say(`${chosen.length} runs of ${project} on ${adapter}`);
for (const [name, wanted] of chosen) {
  const { seconds, ...result } = await digest(name, wanted);
  after.cases[name] = result;
  save();
  const expected = before?.cases[name];
  const other = /** @type {(keyof typeof result)[]} */ (Object.keys(result)).filter((key) => expected && result[key] !== expected[key]);
  for (const key of other) differences.push(`${name}: ${key} ${expected?.[key]} → ${result[key]}`);
  if (before !== null && expected === undefined) differences.push(`${name}: not in ${values.against}`);
  say(
    `${String(seconds).padStart(6)} s  ${name}${before === null ? '' : other.length > 0 ? `  DIFFERS: ${other.join(', ')}` : '  the same'}`,
  );
}

if (values.out === undefined) console.log(JSON.stringify(after, null, 2));
if (before !== null) say(differences.length === 0 ? 'Nothing differs.' : `\n${differences.join('\n')}`);
process.exitCode = differences.length === 0 ? 0 : 1;
