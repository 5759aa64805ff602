// @ts-check
// npm run bench:data: 200,000 rows of chat, then 200 MB of text (bench/data-size.ts).

import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

/** @type {{ module: typeof import('./data-size') }} */
const { module } = await runnerImport(fileURLToPath(new URL('./data-size.ts', import.meta.url)), { configFile: false, logLevel: 'error' });
await module.run();
