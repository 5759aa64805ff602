// `npm run check-device`: run-check-device.ts on this process and this terminal.

import { runCheckDevice } from './run-check-device';
import { runProgram } from './terminal';

await runProgram(({ stdout, stderr }) => runCheckDevice(process.argv.slice(2), { stdout, stderr }));
