// A disk that is full at each single operation of a run's writing, once or from then on: nothing half-written is found under a final name,
// what was there before is whole, the last checkpoint opens, and the next run works.

import fs, { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, afterEach, expect, test } from 'vitest';
import { AppError } from '../../base/errors';
import { utf8 } from '../../testing/tiny-model';
import { plainFile } from '../formats/export-file';
import { writeSafetensors } from '../formats/safetensors';
import { NodeCheckpoints } from './checkpoints';
import { writeJson } from './output';
import { planOutput } from './output-folder';

const scratch = mkdtempSync(join(tmpdir(), 'lisa-full-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const promises = fs.promises as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
const real = Object.fromEntries(['mkdir', 'open', 'rename', 'writeFile'].map((name) => [name, promises[name]]));

/** Operations that write, in their order; `fails` says of each whether it does. */
let operation = 0;
let fails: (operation: number) => boolean = () => false;
const counted =
  (perform: (...args: unknown[]) => Promise<unknown>) =>
  async (...args: unknown[]): Promise<unknown> => {
    if (fails(++operation)) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    return perform(...args);
  };

function install(): void {
  Object.assign(promises, real);
  for (const [name, perform] of Object.entries(real)) promises[name] = counted((...args) => perform.apply(promises, args));
  const open = promises.open;
  promises.open = async (...args) => {
    const writes = /^[wa]/.test(String(args[1] ?? 'r'));
    const handle = (await (writes ? open : real.open)(...args)) as fs.promises.FileHandle;
    if (!writes) {
      handle.sync = () => Promise.resolve();
      return handle;
    }
    // Counted, but not done: a busy disk takes a second for it.
    handle.sync = counted(() => Promise.resolve()) as never;
    handle.writeFile = counted(handle.writeFile.bind(handle) as never) as never;
    return handle;
  };
  syncBuiltinESMExports();
}

afterEach(() => {
  Object.assign(promises, real);
  syncBuiltinESMExports();
});

const checkpoint = (text: string) => writeSafetensors([{ name: 'x', dtype: 'f32', shape: [1], data: () => new Float32Array(1) }], { text });
const NAMES = ['model.safetensors', 'adapter/adapter_config.json', 'config.json'];

async function run(path: string, which: string): Promise<void> {
  const folder = await (await planOutput({ flag: '--out', path, inputs: [], overwrite: true })).claim();
  try {
    const checkpoints = new NodeCheckpoints(join(folder.path, 'checkpoint'));
    for (const step of [1, 2]) await checkpoints.write(step, checkpoint(`${which} ${step}`));
    await folder.write(NAMES.map((name) => plainFile(name, utf8(`${which} ${name}`))));
    await writeJson(join(folder.path, 'report.json'), which);
    await folder.finish();
  } finally {
    await folder.release();
  }
}

const text = (...parts: string[]): string => readFileSync(join(...parts), 'utf8');
const names = (folder: string): string[] =>
  (readdirSync(folder, { recursive: true }) as string[]).filter((name) => name !== 'adapter' && name !== 'checkpoint').sort();

/** Every file of a final name is whole, and the checkpoint, if there is one, opens. */
async function checkWhole(folder: string, which: string): Promise<void> {
  for (const name of names(folder)) {
    if (NAMES.includes(name)) expect(text(folder, name)).toBe(`${which} ${name}`);
    if (name === 'report.json') expect(JSON.parse(text(folder, name))).toBe(which);
  }
  const reader = await new NodeCheckpoints(join(folder, 'checkpoint')).open();
  if (reader) expect(new TextDecoder('latin1').decode(await reader.read(0, reader.size))).toContain(`${which} `);
}

/** Of these operations one is tried; all of them in `npm run torture`. */
const EVERY = process.env.LISA_TORTURE_SEED === undefined ? 5 : 1;

test.each(['once', 'from then on'])('%s', { timeout: 1_200_000 }, async (how) => {
  let refused = 0;
  for (let at = how === 'once' ? 1 : 3; ; at += EVERY) {
    const path = join(scratch, how.replaceAll(' ', '-'), String(at), 'out');
    install();
    await run(path, 'old');
    operation = 0;
    fails = how === 'once' ? (now) => now === at : (now) => now >= at;
    const thrown: unknown = await run(path, 'new').then(
      () => null,
      (error: unknown) => error,
    );
    fails = () => false;
    const ended = operation < at;
    if (thrown !== null) {
      refused++;
      expect(thrown).toBeInstanceOf(AppError);
      expect(thrown).toMatchObject({ code: 'STORAGE', remedy: expect.stringContaining('disk is full') as string });
      // What was there is there, perhaps only once the next program has looked.
      await planOutput({ flag: '--out', path, inputs: [], overwrite: true });
      const which = text(path, 'config.json').slice(0, 3);
      expect(names(path).filter((name) => NAMES.includes(name))).toEqual([...NAMES].sort());
      await checkWhole(path, which);
      if (existsSync(`${path}.new`)) await checkWhole(`${path}.new`, 'new');
    }
    await run(path, 'end');
    await checkWhole(path, 'end');
    expect(readdirSync(join(path, '..'))).toEqual(['out']);
    expect(names(path)).toEqual(
      ['.lisa-studio.json', ...NAMES, 'checkpoint/latest.json', 'checkpoint/step-2.safetensors', 'report.json'].sort(),
    );
    if (ended) break;
  }
  console.info(`${how}: ${refused} operations refused`);
  expect(refused).toBeGreaterThan(40 / EVERY);
});
