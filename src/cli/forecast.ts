// `npm run forecast`: run-forecast.ts on this process and this terminal.

import { runForecast } from './run-forecast';
import { runProgram } from './terminal';

await runProgram(({ stdout, stderr }) => runForecast(process.argv.slice(2), { stdout, stderr, env: process.env }));
