// @ts-check
// npm run tokenizers -- [--seed N] [--count N]. Installs the judges if they are missing; README.md says what is
// compared.

import process from 'node:process';
import { parseArgs } from 'node:util';
import { runnerImport } from 'vite';
import { ensureJudges } from '../judges.mjs';

const { values } = parseArgs({ options: { seed: { type: 'string', default: '1' }, count: { type: 'string', default: '2000' } } });
if (!(await ensureJudges('tools/tokenizers'))) process.exit(1);
/** @type {{ module: typeof import('./check') }} */
const { module } = await runnerImport(new URL('./check.ts', import.meta.url).pathname, { configFile: false, logLevel: 'error' });
process.exitCode = (await module.check(Number(values.seed), Number(values.count))) > 0 ? 1 : 0;
