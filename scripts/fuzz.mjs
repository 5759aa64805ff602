// @ts-check
// npm run fuzz -- [--runs N] [--seed N]: damaged inputs of every format (src/testing/hostile), 20,000 each unless told otherwise.

import process from 'node:process';
import { parseArgs } from 'node:util';
import { ensureDependencies, runTool } from './project.mjs';

const { values } = parseArgs({ options: { runs: { type: 'string', default: '20000' }, seed: { type: 'string', default: '1' } } });
await ensureDependencies();
process.exitCode = await runTool('vitest', 'vitest.mjs', ['run', '--reporter=verbose', 'src/testing/hostile'], {
  env: { LISA_FUZZ_RUNS: values.runs, LISA_FUZZ_SEED: values.seed },
});
