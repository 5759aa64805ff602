// @ts-check
// npm run build: the page (dist) and the programs for Node (dist-node), whether or not they are up to date.

import process from 'node:process';
import { build, ensureDependencies } from './project.mjs';

await ensureDependencies();
process.exitCode = (await build('page')) || (await build('node'));
