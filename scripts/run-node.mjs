// @ts-check
// npm run finetune, npm run bench: node scripts/run-node.mjs <program> [arguments]. Installs and builds what is missing,
// finds a GPU driver, and runs the program in this same process: exit status, signals and kill reach it directly.
// Prints nothing on standard output, which belongs to the program.

import { existsSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { ensureGpu, useGpuEnv } from './gpu-env.mjs';
import { ensureBuild, ensureDependencies, root, say } from './project.mjs';

const [, , program = ''] = process.argv;
await ensureDependencies();
await ensureBuild('node', { quiet: true });

const file = path.join(root, 'dist-node', `${program}.js`);
if (!/^[a-z-]+$/.test(program) || !existsSync(file)) {
  say(`There is no program "${program}". Usage: node scripts/run-node.mjs <program> [arguments]`);
  process.exit(2);
}

const WITHOUT_GPU = new Set(['apply-delta', 'forecast']);

// A command that needs no GPU should not install a driver.
if (!WITHOUT_GPU.has(program) && !process.argv.includes('--help')) {
  const env = await ensureGpu();
  if (env === null) process.exit(1);
  useGpuEnv(env);
}
process.setSourceMapsEnabled(true);
process.argv.splice(1, 2, file);
await import(pathToFileURL(file).href);
