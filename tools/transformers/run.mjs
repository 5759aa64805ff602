// @ts-check
// npm run judge:transformers. Needs a Python with torch, transformers and peft (LISA_PYTHON names one); README.md says what is compared.

import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';
import { ensureGpu, useGpuEnv } from '../../scripts/gpu-env.mjs';
import { root, run, say } from '../../scripts/project.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const python = process.env.LISA_PYTHON ?? 'python3';
/** @param {...string} args */
const runPython = (...args) => run(python, args).catch(() => 127);

if ((await runPython('-c', 'import torch, transformers, peft')) !== 0) {
  say(
    `${python} has not all of torch, transformers and peft. Install them with \`pip install torch transformers peft\`, or name a Python that has them in LISA_PYTHON.`,
  );
  process.exit(1);
}
const env = await ensureGpu();
if (env === null) process.exit(1);
useGpuEnv(env);
const { create, globals } = await import('webgpu');
Object.assign(globalThis, globals);
const gpu = create([]);

const oracle = await runPython(path.join(here, 'oracle.py'));
const scratch = mkdtempSync(path.join(os.tmpdir(), 'lisa-transformers-'));
try {
  /** @type {{ module: typeof import('./cases') }} */
  const { module } = await runnerImport(path.join(here, 'cases.ts'), { configFile: false, logLevel: 'error' });
  await module.writeCases(root, scratch, gpu);
  const exported = await runPython(path.join(here, 'exports.py'), path.join(scratch, 'cases.json'));
  process.exitCode = oracle === 0 && exported === 0 ? 0 : 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
