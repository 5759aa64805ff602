// `npm run forecast`: run-forecast.ts on this process and this terminal.

import { runForecast } from './run-forecast';

process.exit(
  await runForecast(process.argv.slice(2), {
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
    env: process.env,
  }),
);
