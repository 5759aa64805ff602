// @ts-check
// What the programs of this folder share: options, messages, the cache folder, and tables.

import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runnerImport } from 'vite';
import { gpuEnv } from '../../scripts/gpu-env.mjs';

/** @typedef {{ key: string, wgsl: string }} NamedKernel */

/** This folder. */
export const here = path.dirname(fileURLToPath(import.meta.url));

/** Where what is fetched and compiled lies. */
export const cache =
  process.env.GPU_STATIC_CACHE ?? path.join(process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), '.cache'), 'gpu-static');

/**
 * Ends with a message and status 2: status 1 says that something was measured and found wanting.
 * @param {string} text
 * @returns {never}
 */
export function fail(text) {
  process.stderr.write(`${text}\n`);
  process.exit(2);
}

/**
 * parseArgs with --help, and the usage where something is wrong.
 * @template {NonNullable<import('node:util').ParseArgsConfig['options']>} T
 * @param {string} usage
 * @param {T} options
 */
export function readOptions(usage, options) {
  /** @type {ReturnType<typeof parseArgs<{ options: T & { help: { type: 'boolean' } } }>>['values']} */
  let values;
  try {
    ({ values } = parseArgs({ options: { ...options, help: { type: 'boolean' } }, allowPositionals: false }));
  } catch (error) {
    fail(`${messageOf(error)}\n\n${usage}`);
  }
  if ('help' in values && values.help) {
    process.stdout.write(`${usage}\n`);
    process.exit(0);
  }
  return values;
}

/** @param {unknown} error */
export const messageOf = (error) => (error instanceof Error ? error.message : String(error));

/** A folder that is removed when this process ends. */
export function temporaryFolder() {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'gpu-static-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** @param {string} name */
export function cacheFolder(name) {
  const folder = path.join(cache, name);
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** plans.ts with the project's code in it. */
export async function loadPlans() {
  /** @type {{ module: typeof import('./plans') }} */
  const { module } = await runnerImport(path.join(here, 'plans.ts'), { configFile: false, logLevel: 'error' });
  return { FAMILIES: module.FAMILIES, MODELS: module.MODELS, kernels: module.kernels, step: module.step };
}

/** The environment in which Dawn finds a Vulkan driver: the project's own way to one. */
export async function driverEnv() {
  const { env, adapter } = await gpuEnv();
  if (adapter === null) fail('No Vulkan driver for Dawn. Any will do, SwiftShader too: apt-get install --no-install-recommends chromium');
  return env;
}

/**
 * Runs a program; what it printed, as text. Rejects if it cannot be started.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ env?: Record<string, string>, cwd?: string, outFile?: string }} [options] outFile: standard output goes there instead
 * @returns {Promise<{ code: number | null, signal: NodeJS.Signals | null, out: string, err: string }>}
 */
export function capture(command, args, { env = {}, cwd, outFile } = {}) {
  return new Promise((resolve, reject) => {
    const target = outFile === undefined ? undefined : openSync(outFile, 'w');
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', target ?? 'pipe', 'pipe'] });
    if (target !== undefined) closeSync(target);
    /** @type {Buffer[]} */
    const out = [];
    /** @type {Buffer[]} */
    const err = [];
    child.stdout?.on('data', (/** @type {Buffer} */ chunk) => out.push(chunk));
    child.stderr?.on('data', (/** @type {Buffer} */ chunk) => err.push(chunk));
    child.once('error', reject);
    child.once('close', (code, signal) =>
      resolve({ code, signal, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() }),
    );
  });
}

/**
 * A table as text.
 * @param {readonly string[]} header
 * @param {readonly (readonly string[])[]} rows
 * @param {readonly number[]} left columns that are flush left
 */
export function table(header, rows, left = [0]) {
  const widths = header.map((cell, i) => Math.max(cell.length, ...rows.map((row) => row[i].length)));
  return [header, ...rows]
    .map((row) =>
      row
        .map((cell, i) => (left.includes(i) ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
