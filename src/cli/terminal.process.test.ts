// What programs of the terminal do when their output has nowhere to go, and when they are started in a folder that is gone. The signals
// of a run are in finetune.gpu.test.ts and in `npm run torture`.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { beforeAll, expect, test } from 'vitest';
import { ensureBuild } from '../../scripts/project.mjs';
import { ROOT } from '../testing/tiny-cli';

beforeAll(() => ensureBuild('node', { quiet: true }), 120_000);

const shell = (line: string): { status: number | null; stdout: string; stderr: string } =>
  spawnSync('bash', ['-c', line], { encoding: 'utf8', cwd: ROOT, env: { ...process.env, NODE: process.execPath } });

test('a reader that goes away ends a program quietly, as SIGPIPE would', () => {
  const { status, stderr } = shell('"$NODE" dist-node/forecast.js --help | true; exit ${PIPESTATUS[0]}');
  // The program may have written everything before the reader went.
  expect([0, 141]).toContain(status);
  expect(stderr).toBe('');
});

test.skipIf(!existsSync('/dev/full'))('a full disk under standard output is a failure that is told', () => {
  for (const program of ['forecast --help', 'apply-delta --help', 'finetune --help']) {
    const [name, option] = program.split(' ');
    const { status, stderr } = shell(`"$NODE" dist-node/${name}.js ${option} > /dev/full`);
    expect({ status, stderr }).toEqual({ status: 1, stderr: 'Standard output cannot be written (ENOSPC).\n' });
  }
});

test('a current directory that was removed', () => {
  const { status, stderr } = shell(
    `cd "$(mktemp -d)" && rmdir "$PWD" && "$NODE" ${JSON.stringify(join(ROOT, 'dist-node/finetune.js'))} --help`,
  );
  expect({ status, stderr }).toEqual({
    status: 2,
    stderr: 'The current directory does not exist any more. Change to another directory.\n',
  });
});
