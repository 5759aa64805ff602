// `npm run importance`: importance/run.ts on this process, this terminal and the GPU that Node sees.

import { fileURLToPath } from 'node:url';
import { openGpu } from '../gpu/device';
import { nodeGpu, UNCHECKED } from '../gpu/node';
import { runImportance } from './importance/run';
import { runProgram } from './terminal';

await runProgram((terminal) =>
  runImportance(process.argv.slice(2), {
    stdout: terminal.stdout,
    stderr: terminal.stderr,
    openGpu: async () => openGpu(await nodeGpu(UNCHECKED)),
    onStop: (stop) => terminal.onStop(stop),
    // public/ of the project, seen from dist-node/.
    publicFolder: fileURLToPath(new URL('../public/', import.meta.url)),
    env: process.env,
    debug: Boolean(process.env.DEBUG),
  }),
);
