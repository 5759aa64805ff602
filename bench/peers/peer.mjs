// node peer.mjs <module> <task as JSON>: gets a task ready, then runs it once for every line on standard input. Prints one
// line of JSON each time: {"ready": true}, {"ms", "value"} or {"error"}.

import { createInterface } from 'node:readline';
import { actAsBrowser } from './browser.mjs';

const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);
const [, , name, task] = process.argv;
// The libraries' own messages are not results.
console.log = console.info = console.warn = (...args) => process.stderr.write(`${args.join(' ')}\n`);

const fail = (error) => {
  say({ error: error instanceof Error ? error.message : String(error) });
  process.exit(1);
};
process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);

actAsBrowser();
const { prepare } = await import(`./${name}.mjs`);
const run = await prepare(JSON.parse(task));
say({ ready: true });
for await (const _ of createInterface({ input: process.stdin })) {
  const start = performance.now();
  const value = await run();
  say({ ms: performance.now() - start, value });
}
process.exit(0);
