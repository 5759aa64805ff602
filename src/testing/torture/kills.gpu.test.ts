// `npm run torture -- --part kills`: runs of the terminal that are killed with SIGKILL at random times, resumed, killed again, and must end as
// if nobody had killed them: weights, metrics and cards bit for bit, and no stray file. Every method, with the options that keep state
// in other places. LISA_TORTURE_KILLS kills in all, LISA_TORTURE_SEED.

import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ensureBuild } from '../../../scripts/project.mjs';
import { randomStream } from '../../base/random';
import { quickOptions, ROOT } from '../tiny-cli';
import { temporaryFolder, writeTinyModel } from '../tiny-folder';
import { textRows } from '../tiny-session';
import { writeQuantisable } from '../quantisable';

const KILLS = Number(process.env.LISA_TORTURE_KILLS ?? 0);
const SEED = Number(process.env.LISA_TORTURE_SEED ?? 1);

const CASES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'LISA, state dropped': {},
  'LISA, state parked, moves measured': { 'lisa-state': 'park' },
  'LISA, stored weights': { weights: 'stored' },
  'LISA, 8-bit state': { 'optimizer-state': 'int8' },
  'LISA, recomputed, frozen weights checked': { recompute: 'layer', verify: 'on' },
  'LISA, exported as f16': { 'out-dtype': 'f16' },
  full: { method: 'full' },
  'LISA, 8-bit base, state parked': { weights: 'int8', 'lisa-state': 'park', 'out-dtype': 'bf16' },
  'LISA, 4-bit base and every lever': {
    weights: 'int4',
    recompute: 'layer',
    'optimizer-state': 'int8',
    'grad-clip-mode': 'block',
    'lisa-embedding': 'rows',
    verify: 'on',
  },
  LoRA: { method: 'lora', 'lora-rank': '3', gguf: 'f32' },
};

describe.skipIf(KILLS === 0)('killed', () => {
  const folder = temporaryFolder('kills');
  afterAll(() => folder.remove());
  const odd = writeTinyModel(join(folder.path, 'model'), 'tiny-llama');
  const quantisable = join(folder.path, 'quantisable');
  const data = join(folder.path, 'rows.jsonl');
  writeFileSync(data, textRows(6).bytes);
  const draw = randomStream(SEED, 'kills');

  beforeAll(async () => {
    await writeQuantisable(quantisable);
    await ensureBuild('node', { quiet: true });
  }, 300_000);

  /** Runs the program; kills it after `ms` if it has not ended. */
  const finetune = (
    args: readonly string[],
    ms: number | null,
  ): Promise<{ status: number | null; killed: boolean; stderr: string; took: number }> =>
    new Promise((resolve, reject) => {
      const begun = performance.now();
      const child = spawn(process.execPath, [join(ROOT, 'dist-node/finetune.js'), ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
      let stderr = '';
      child.stderr.on('data', (part: Buffer) => (stderr += part.toString()));
      const timer = ms === null ? null : setTimeout(() => child.kill('SIGKILL'), ms);
      child.once('error', reject);
      child.once('close', (status, signal) => {
        if (timer) clearTimeout(timer);
        resolve({ status, killed: signal === 'SIGKILL', stderr, took: performance.now() - begun });
      });
    });

  const contents = (at: string): Record<string, string> =>
    Object.fromEntries(
      readdirSync(at, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => {
          const path = join(entry.parentPath, entry.name);
          const name = path.slice(at.length + 1);
          // Their names must be the same; what they say depends on the clock, or on the run.
          if (name === '.lisa-studio.json' || name === 'report.json' || name.startsWith('checkpoint/step-')) return [name, ''];
          const bytes = readFileSync(path);
          return [name, name === 'metrics.jsonl' ? bytes.toString().replaceAll(/"stepMs":[^,]+/g, '') : bytes.toString('base64')];
        }),
    );

  const perCase = Math.max(1, Math.ceil(KILLS / Object.keys(CASES).length));
  test.each(Object.entries(CASES))(
    '%s',
    async (name, more) => {
      const at = (which: string): string => join(folder.path, `${name}-${which}`.replaceAll(/[^\w-]+/g, '-'));
      const options = (out: string): string[] =>
        quickOptions(more.weights?.startsWith('int') ? quantisable : odd, data, out, {
          steps: '24',
          'save-every': '3',
          'eval-every': '6',
          ...more,
        });
      const whole = await finetune(options(at('whole')), null);
      expect(whole.status, whole.stderr).toBe(0);
      const expected = contents(at('whole'));
      let kills = 0;
      for (let round = 0; kills < perCase; round++) {
        const out = at(String(round));
        for (let args = options(out), tries = 0; ; tries++) {
          const last = tries > 6 || kills >= perCase;
          const { status, killed, stderr } = await finetune(args, last ? null : draw.nextFloat() * 1.2 * whole.took);
          if (!killed) {
            expect({ round, status }, stderr).toEqual({ round, status: 0 });
            break;
          }
          kills++;
          args = existsSync(join(out, 'checkpoint', 'latest.json')) ? ['--resume', out, ...commandOf(more)] : options(out);
        }
        expect(contents(out), `seed ${SEED}, ${name}, round ${round}`).toEqual(expected);
      }
      console.info(`${name}: ${kills} kills, all ended as if there had been none (seed ${SEED})`);
    },
    3_600_000,
  );
});

/** The options that a resumed run takes again: those of the command, not of the run. */
const commandOf = (more: Readonly<Record<string, string>>): string[] =>
  Object.entries(more).flatMap(([name, value]) => (['out-dtype', 'gguf', 'verify'].includes(name) ? [`--${name}`, value] : []));
