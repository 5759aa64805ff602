// `npm run finetune`: finetune/run.ts on this process, this terminal and the GPU that Node sees.

import { fileURLToPath } from 'node:url';
import { openGpu } from '../gpu/device';
import { nodeGpu, UNCHECKED } from '../gpu/node';
import { runFinetune } from './finetune/run';

const status = await runFinetune(process.argv.slice(2), {
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  openGpu: async () => openGpu(await nodeGpu(UNCHECKED)),
  onInterrupt(stop) {
    let asked = 0;
    const listener = (): void => {
      const now = performance.now();
      // Under npm one Ctrl-C may arrive twice: from the terminal and from npm.
      if (asked > 0 && now - asked > 500) process.exit(130);
      if (asked > 0) return;
      asked = now;
      stop();
    };
    process.on('SIGINT', listener);
    return () => process.off('SIGINT', listener);
  },
  // public/ of the project, seen from dist-node/.
  publicFolder: fileURLToPath(new URL('../public/', import.meta.url)),
  env: process.env,
  debug: Boolean(process.env.DEBUG),
});
process.exit(status);
