// `npm run apply-delta`: run-apply-delta.ts on this process and this terminal.

import { runApplyDelta } from './run-apply-delta';

process.exit(
  await runApplyDelta(process.argv.slice(2), {
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
  }),
);
