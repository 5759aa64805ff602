// @ts-check
// npm run judge -- [beginning of a model's name]. Installs the judges if they are missing; README.md says what is
// compared.

import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';
import { ensureGpu, useGpuEnv } from '../../scripts/gpu-env.mjs';
import { root } from '../../scripts/project.mjs';
import { ensureJudges } from '../judges.mjs';
import { browserJudge } from './browser.mjs';

if (!(await ensureJudges('tools/judges')) || !(await ensureJudges('tools/tokenizers'))) process.exit(1);
const env = await ensureGpu();
if (env === null) process.exit(1);
useGpuEnv(env);

/** These packages exist only after they were asked for, so tsc must not look for them. */
const load = (/** @type {string} */ name) => import(name);
const { getLlama } = await load('node-llama-cpp');
const { gguf } = await load('@huggingface/gguf');
const { create, globals } = await load('webgpu');
Object.assign(globalThis, globals);
const llama = await getLlama({ gpu: false, build: 'never', maxThreads: 1, logLevel: 'error', progressLogs: false });
const browser = browserJudge();
/** @type {{ module: typeof import('./judge') }} */
const { module } = await runnerImport(fileURLToPath(new URL('./judge.ts', import.meta.url)), { configFile: false, logLevel: 'error' });
const faults = await module.judge(
  root,
  {
    gpu: create([]),
    llama,
    parse: (/** @type {string} */ file) => gguf(file, { allowLocalFile: true }),
    browser: browser.answer,
  },
  process.argv[2] ?? '',
);
await browser.close();
console.log(faults === 0 ? 'All judges agree.' : `${faults} comparisons went wrong.`);
process.exit(faults === 0 ? 0 : 1);
