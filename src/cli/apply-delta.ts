// `npm run apply-delta`: run-apply-delta.ts on this process and this terminal.

import { runApplyDelta } from './run-apply-delta';
import { runProgram } from './terminal';

await runProgram((terminal) => runApplyDelta(process.argv.slice(2), terminal));
