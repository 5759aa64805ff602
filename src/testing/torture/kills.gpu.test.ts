// `npm run torture -- --part kills`: runs of the terminal that are killed with SIGKILL, resumed, killed again, and must end as if nobody had
// killed them: weights, metrics and cards bit for bit, the same samples and losses, and no stray file. Half of the kills come at random times,
// half at a random operation that changes files (die-at.mjs): checkpoints, full-precision weights, exports, removals. Every method, with the options
// that keep state in other places. LISA_TORTURE_KILLS kills in all, LISA_TORTURE_SEED, LISA_TORTURE_ONLY (a part of a case's name).

import { spawn } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ensureBuild } from '../../../scripts/project.mjs';
import { randomStream } from '../../base/random';
import type { RunEvent } from '../../train/events';
import { quickOptions, ROOT } from '../tiny-cli';
import { temporaryFolder, writeTinyModel } from '../tiny-folder';
import { textRows } from '../tiny-session';
import { writeQuantisable } from '../quantisable';

const KILLS = Number(process.env.LISA_TORTURE_KILLS ?? 0);
const SEED = Number(process.env.LISA_TORTURE_SEED ?? 1);
const ONLY = process.env.LISA_TORTURE_ONLY ?? '';
const DIE_AT = pathToFileURL(join(import.meta.dirname, 'die-at.mjs')).href;

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
  'LISA, drawn by measured importance': { 'lisa-adapt': 'gradients', 'lisa-state': 'park' },
  'LISA, in place of finished results': { overwrite: '' },
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

  interface Ended {
    readonly status: number | null;
    readonly killed: boolean;
    readonly stderr: string;
    readonly took: number;
    /** Samples and losses by their step and kind. */
    readonly told: ReadonlyMap<string, string>;
  }

  /** Runs the program; ends it by SIGKILL after `ms`, or at the operation `at`, if it has not ended before. */
  const finetune = (args: readonly string[], { ms, at, countTo }: { ms?: number; at?: number; countTo?: string }): Promise<Ended> =>
    new Promise((resolve, reject) => {
      const begun = performance.now();
      const env = {
        ...process.env,
        ...(at !== undefined && { LISA_DIE_AT: String(at) }),
        ...(countTo !== undefined && { LISA_COUNT_TO: countTo }),
      };
      const program = ['--import', DIE_AT, join(ROOT, 'dist-node/finetune.js'), ...args, '--json'];
      const child = spawn(process.execPath, program, { stdio: ['ignore', 'pipe', 'pipe'], env });
      let stdout = '';
      let stderr = '';
      child.stdout.on('data', (part: Buffer) => (stdout += part.toString()));
      child.stderr.on('data', (part: Buffer) => (stderr += part.toString()));
      const timer = ms === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), ms);
      child.once('error', reject);
      child.once('close', (status, signal) => {
        clearTimeout(timer);
        resolve({ status, killed: signal === 'SIGKILL', stderr, took: performance.now() - begun, told: toldIn(stdout) });
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
  test.each(Object.entries(CASES).filter(([name]) => name.includes(ONLY)))(
    '%s',
    async (name, more) => {
      const at = (which: string): string => join(folder.path, `${name}-${which}`.replaceAll(/[^\w-]+/g, '-'));
      const { overwrite, ...settings } = more;
      const options = (out: string): string[] => [
        ...quickOptions(more.weights?.startsWith('int') ? quantisable : odd, data, out, {
          steps: '24',
          'save-every': '3',
          'eval-every': '6',
          ...settings,
        }),
        ...(overwrite === undefined ? [] : ['--overwrite']),
      ];
      const counts = join(folder.path, 'count');
      const whole = await finetune(options(at('whole')), { countTo: counts });
      expect(whole.status, whole.stderr).toBe(0);
      const operations = Number(readFileSync(counts, 'utf8'));
      const expected = contents(at('whole'));
      const where = { time: 0, operation: 0 };
      let kills = 0;
      for (let round = 0; kills < perCase; round++) {
        const out = at(String(round));
        if (overwrite !== undefined) cpSync(at('whole'), out, { recursive: true });
        for (let args = options(out), tries = 0; ; tries++) {
          const last = tries > 6 || kills >= perCase;
          const [place, part] = [draw.nextFloat() < 0.5 ? 'time' : 'operation', draw.nextFloat()] as const;
          const when = place === 'time' ? { ms: part * 1.1 * whole.took } : { at: 1 + Math.floor(part * operations) };
          const { status, killed, stderr, told } = await finetune(args, last ? {} : when);
          for (const [what, text] of told) expect(text, `seed ${SEED}, ${name}, round ${round}, ${what}`).toBe(whole.told.get(what));
          if (!killed) {
            expect({ round, status }, stderr).toEqual({ round, status: 0 });
            break;
          }
          kills++;
          where[place]++;
          args = goOn(out, more) ?? options(out);
        }
        expect(contents(out), `seed ${SEED}, ${name}, round ${round}`).toEqual(expected);
        expect(readdirSync(folder.path).filter((entry) => entry.startsWith(basename(out)) || entry.endsWith('.tmp'))).toEqual([
          basename(out),
        ]);
      }
      console.info(
        `${name}: ${kills} kills (${where.time} at a time, ${where.operation} at one of ${operations} operations), all ended as if there had been none (seed ${SEED})`,
      );
    },
    3_600_000,
  );
});

/** The arguments that resume a run with a checkpoint; null if it has to begin again. */
function goOn(out: string, more: Readonly<Record<string, string>>): string[] | null {
  // The results that replace others are beside them until they are complete.
  const place = more.overwrite !== undefined ? `${out}.new` : out;
  return existsSync(join(place, 'checkpoint', 'latest.json')) ? ['--resume', place, ...commandOf(more)] : null;
}

/** Samples and held-out losses that a run has told. */
function toldIn(stdout: string): Map<string, string> {
  const told = new Map<string, string>();
  for (const line of stdout.split('\n')) {
    // The last line of a killed run may be cut.
    if (!line.startsWith('{') || !line.endsWith('}')) continue;
    const event = JSON.parse(line) as RunEvent;
    if (event.type === 'sample') told.set(`sample ${event.sample.step}`, JSON.stringify(event.sample));
    if (event.type === 'eval') told.set(`loss ${event.step}${event.weights ?? ''}`, String(event.loss));
  }
  return told;
}

/** The options that a resumed run takes again: those of the command, not of the run. */
const commandOf = (more: Readonly<Record<string, string>>): string[] =>
  Object.entries(more).flatMap(([name, value]) => (['out-dtype', 'gguf', 'verify'].includes(name) ? [`--${name}`, value] : []));
