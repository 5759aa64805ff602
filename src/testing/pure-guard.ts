// Runs before every pure test file: a pure test opens no device and starts no program, so that its file can run beside others.
// A forbidden call throws, and fails the test even if the code under test catches the error.

import childProcess from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';
import { afterEach, expect } from 'vitest';

const STARTERS = ['spawn', 'spawnSync', 'exec', 'execSync', 'execFile', 'execFileSync', 'fork'] as const;

let broken: string | undefined;

/** Records that a pure test did this, and throws. */
export function refuse(what: string): never {
  broken = `${what} in a pure test. Name its file *.gpu.test.ts if it opens a device, *.process.test.ts if it starts programs.`;
  throw new Error(broken);
}

/** What was refused since the last call. */
export function refused(): string | undefined {
  const told = broken;
  broken = undefined;
  return told;
}

for (const name of STARTERS) Object.assign(childProcess, { [name]: () => refuse(`child_process.${name}()`) });
syncBuiltinESMExports();

afterEach(() => {
  expect(refused()).toBeUndefined();
});
