// @ts-check
// npm run torture -- [--part kills|writes|inputs|faults|soak] [--kills 200] [--runs 20000] [--every 1] [--minutes 60] [--seed 1] [--only NAME]: what strangers' files,
// kills, full disks, a failing GPU and time must not do. All parts unless one is named; --only: the cases of kills with this in their names. Slow: docs/checks.md says what each proves.

import process from 'node:process';
import { parseArgs } from 'node:util';
import { gpuEnv } from './gpu-env.mjs';
import { ensureDependencies, runTool, say } from './project.mjs';

const text = /** @type {const} */ ({ type: 'string' });
const { values } = parseArgs({
  options: {
    part: text,
    kills: { ...text, default: '200' },
    runs: { ...text, default: '20000' },
    every: { ...text, default: '1' },
    minutes: { ...text, default: '60' },
    seed: { ...text, default: '1' },
    only: { ...text, default: '' },
  },
});

/** @type {Record<string, { files: string[], gpu: boolean }>} */
const PARTS = {
  writes: { files: ['src/io/node'], gpu: false },
  inputs: { files: ['src/testing/hostile'], gpu: false },
  kills: { files: ['src/testing/torture/kills'], gpu: true },
  faults: { files: ['src/testing/torture/faults'], gpu: true },
  soak: { files: ['src/testing/torture/soak'], gpu: true },
};
const chosen = values.part === undefined ? Object.keys(PARTS) : [values.part];
if (chosen.some((name) => !(name in PARTS))) {
  say(
    `There is no part ${values.part}. Usage: npm run torture -- [--part ${Object.keys(PARTS).join('|')}] [--kills N] [--runs N] [--every N] [--minutes N] [--seed N] [--only NAME]`,
  );
  process.exit(2);
}

await ensureDependencies();
for (const name of chosen) {
  const { files, gpu } = PARTS[name];
  console.log(`── ${name}, seed ${values.seed}`);
  const env = {
    ...(gpu ? (await gpuEnv()).env : {}),
    LISA_TORTURE_KILLS: values.kills,
    LISA_TORTURE_SEED: values.seed,
    LISA_TORTURE_ONLY: values.only,
    LISA_FAULTS_EVERY: values.every,
    LISA_SOAK_MINUTES: values.minutes,
    LISA_FUZZ_RUNS: values.runs,
    LISA_FUZZ_SEED: values.seed,
  };
  process.exitCode ||= await runTool('vitest', 'vitest.mjs', ['run', '--reporter=verbose', ...files], { env });
}
