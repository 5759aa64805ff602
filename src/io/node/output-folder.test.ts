// A folder is written only if it is empty, new or ours, and never where the program reads; only what is ours is deleted; what was there
// stays whole until its replacement is complete.

import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { utf8 } from '../../testing/tiny-model';
import { plainFile } from '../formats/export-file';
import { planOutput, type OutputFolder, type OutputRequest } from './output-folder';

const scratch = mkdtempSync(join(tmpdir(), 'lisa-folder-'));
afterAll(() => rmSync(scratch, { recursive: true }));
let next = 0;
/** A path that does not exist, in a folder that does. */
const fresh = (): string => {
  const at = join(scratch, String(next++));
  mkdirSync(at);
  return join(at, 'out');
};
const put = (path: string, text = basename(path)): void => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
};
const text = (...parts: string[]): string => readFileSync(join(...parts), 'utf8');
/** All files below, with their contents. */
const tree = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name !== '.lisa-studio.json')
      .map((entry) => [join(entry.parentPath, entry.name).slice(folder.length + 1), text(entry.parentPath, entry.name)]),
  );

const request = (path: string, more: Partial<OutputRequest> = {}): OutputRequest => ({
  flag: '--out',
  path,
  inputs: [],
  overwrite: false,
  ...more,
});
const refused = async (path: string, more: Partial<OutputRequest> = {}): Promise<string> => {
  const before = existsSync(path) ? tree(path) : null;
  const thrown: unknown = await planOutput(request(path, more)).then(
    () => null,
    (error: unknown) => error,
  );
  expect(thrown).toMatchObject({ code: 'CONFIG_INVALID' });
  expect(existsSync(path) ? tree(path) : null).toEqual(before);
  return (thrown as Error).message;
};
const files = (...names: string[]) => names.map((name) => plainFile(name, utf8(`new ${name}`)));

/** A finished run of ours. */
async function ownRun(path: string, more: Partial<OutputRequest> = {}, ...names: string[]): Promise<void> {
  const folder = await (await planOutput(request(path, more))).claim();
  put(join(folder.path, 'metrics.jsonl'), 'lines');
  put(join(folder.path, 'checkpoint', 'latest.json'), 'pointer');
  put(join(folder.path, 'checkpoint', 'step-4.safetensors'), 'state');
  await folder.write(files('model.safetensors', 'README.md', ...names));
  await folder.finish();
  await folder.release();
}

describe('what a program reads', () => {
  const base = join(scratch, 'inputs');
  const [model, data] = [join(base, 'Model'), join(base, 'data', 'rows.jsonl')];
  put(join(model, 'config.json'));
  put(data);
  // As a download cache keeps it: a folder of links to files elsewhere.
  const linked = join(base, 'snapshots', 'x');
  mkdirSync(linked, { recursive: true });
  put(join(base, 'blobs', 'weights'));
  symlinkSync(join(base, 'blobs', 'weights'), join(linked, 'model.safetensors'));
  const link = join(scratch, 'link');
  symlinkSync(model, link);
  const inputs = [
    { flag: '--model', path: model },
    { flag: '--data', path: data },
  ];

  test.each([
    ['the model', model, /is the folder of --model/],
    ['with a slash', `${model}/`, /is the folder of --model/],
    ['by a detour', join(base, 'data') + '/../Model/.', /is the folder of --model/],
    ['by a link', link, /is the folder of --model/],
    ['a parent of the model', base, /holds --model/],
    ['the folder of the data', join(base, 'data'), /holds --data/],
  ])('%s', async (_, path, message) => {
    for (const overwrite of [false, true]) expect(await refused(path, { inputs, overwrite })).toMatch(message);
  });

  test('the root of all folders', () =>
    expect(planOutput(request('/', { inputs }))).rejects.toMatchObject({ detail: expect.stringMatching(/holds --model/) as string }));

  test('a relative path', async () => {
    const here = process.cwd();
    const up = '../'.repeat(here.split('/').length - 1);
    expect(await refused(`${up}${model.slice(1)}`, { inputs })).toMatch(/is the folder of --model/);
  });

  test('where the files of a folder of links are', async () => {
    const named = [{ flag: '--model', path: linked }];
    expect(await refused(join(base, 'blobs'), { inputs: named })).toMatch(/holds --model/);
  });

  test('a folder below the model, or beside it with a longer name, is free', async () => {
    for (const path of [join(model, 'tuned'), `${model}-tuned`]) {
      const folder = await (await planOutput(request(path, { inputs }))).claim();
      await folder.release();
      expect(existsSync(path)).toBe(false);
    }
  });

  test('an input that does not exist yet and would lie in it', async () => {
    const path = fresh();
    expect(await refused(path, { inputs: [{ flag: '--cache-dir', path: join(path, 'cache') }] })).toMatch(/holds --cache-dir/);
  });
});

describe('a folder that is not ours', () => {
  test.each([false, true])('is refused and stays as it is (overwrite: %s)', async (overwrite) => {
    const path = fresh();
    put(join(path, 'checkpoint', 'step-4.safetensors'), 'a diary');
    put(join(path, 'README.md'), 'mine');
    expect(await refused(path, { overwrite })).toMatch(/is not empty, and what is in it was not made by LISA Studio/);
    expect(tree(path)).toEqual({ 'checkpoint/step-4.safetensors': 'a diary', 'README.md': 'mine' });
  });

  test('a marker that is not ours does not make it ours', async () => {
    const path = fresh();
    put(join(path, '.lisa-studio.json'), '{"files": 3}');
    put(join(path, 'notes.txt'));
    expect(await refused(path, { overwrite: true })).toMatch(/not made by LISA Studio/);
  });

  test('what a system puts into every folder does not count', async () => {
    const path = fresh();
    put(join(path, '.DS_Store'), 'x');
    await ownRun(path);
    expect(tree(path)).toMatchObject({ '.DS_Store': 'x', 'README.md': 'new README.md' });
  });

  test('files that come between the plan and the claim', async () => {
    const path = fresh();
    const plan = await planOutput(request(path));
    put(join(path, 'notes.txt'));
    await expect(plan.claim()).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    expect(tree(path)).toEqual({ 'notes.txt': 'notes.txt' });
  });
});

describe('a folder of ours', () => {
  test('a finished run is replaced only with overwrite, in one piece at the end', async () => {
    const path = fresh();
    await ownRun(path, {}, 'model-00001-of-00002.safetensors', 'adapter/adapter_config.json');
    const before = tree(path);
    expect(await refused(path)).toMatch(/already holds results.*--overwrite/);
    const folder = await (await planOutput(request(path, { overwrite: true }))).claim();
    expect(folder).toMatchObject({ path: `${path}.new`, replaces: path });
    put(join(folder.path, 'metrics.jsonl'), 'more lines');
    await folder.write(files('config.json'));
    const { '.lisa-studio.lock': _, ...meanwhile } = tree(path);
    expect(meanwhile).toEqual(before);
    expect(await folder.finish()).toBe(path);
    await folder.release();
    expect(tree(path)).toEqual({ 'metrics.jsonl': 'more lines', 'config.json': 'new config.json' });
    expect(readdirSync(dirname(path))).toEqual(['out']);
  });

  test('a stopped run is not replaced without being asked; one without a checkpoint is', async () => {
    const path = fresh();
    const folder = await (await planOutput(request(path))).claim();
    put(join(path, 'metrics.jsonl'), 'lines');
    await folder.release();
    const again = await (await planOutput(request(path))).claim();
    expect(again.path).toBe(path);
    expect(existsSync(join(path, 'metrics.jsonl'))).toBe(false);
    // Killed before the first checkpoint was complete: there is nothing to resume.
    put(join(path, 'checkpoint', 'step-1.safetensors'), 'state');
    await again.release();
    const third = await (await planOutput(request(path))).claim();
    expect(third.path).toBe(path);
    expect(existsSync(join(path, 'checkpoint', 'step-1.safetensors'))).toBe(false);
    put(join(path, 'checkpoint', 'step-1.safetensors'), 'state');
    put(join(path, 'checkpoint', 'latest.json'), 'pointer');
    await third.release();
    expect(await refused(path)).toMatch(/holds a run that was stopped or killed.*--resume/);
  });

  test('is not replaced if somebody put files there', async () => {
    const path = fresh();
    await ownRun(path);
    put(join(path, 'adapter', 'notes.txt'));
    expect(await refused(path, { overwrite: true })).toMatch(/adapter\/notes\.txt, which LISA Studio did not write/);
    rmSync(join(path, 'adapter'), { recursive: true });
    const folder = await (await planOutput(request(path, { overwrite: true }))).claim();
    await folder.write(files('config.json'));
    put(join(path, 'notes.txt'));
    expect(await folder.finish()).toBe(`${path}.new`);
    await folder.release();
    expect(tree(path)).toMatchObject({ 'notes.txt': 'notes.txt', 'README.md': 'new README.md' });
    expect(tree(`${path}.new`)).toEqual({ 'config.json': 'new config.json' });
  });

  test('a file that somebody put there while it ran stays, and is named', async () => {
    const path = fresh();
    const folder = await (await planOutput(request(path))).claim();
    put(join(path, 'README.md'), 'mine');
    await expect(folder.write(files('README.md'))).rejects.toMatchObject({
      code: 'STORAGE',
      detail: expect.stringContaining('README.md') as string,
    });
    expect(text(path, 'README.md')).toBe('mine');
    await folder.release();
  });

  test('folders in the way of a replacement', async () => {
    for (const end of ['.new', '.old']) {
      const path = fresh();
      await ownRun(path);
      put(join(path + end, 'thesis.txt'));
      expect(await refused(path, { overwrite: true })).toMatch(/Move it away/);
    }
  });

  test('what a killed process left half-written is removed by the next one, and nothing else', async () => {
    const path = fresh();
    await ownRun(path);
    for (const name of [
      '.model.safetensors.0123456789ab.tmp',
      'checkpoint/.latest.json.0123456789ab.tmp',
      'checkpoint/mine.tmp',
      '.mine.tmp',
    ])
      put(join(path, name));
    await (await (await planOutput(request(path, { resumes: true }))).claim()).release();
    expect(
      Object.keys(tree(path))
        .filter((name) => name.endsWith('.tmp'))
        .sort(),
    ).toEqual(['.mine.tmp', 'checkpoint/mine.tmp']);
  });

  test('without a marker, as older versions left it, it is resumed but not replaced', async () => {
    const path = fresh();
    await ownRun(path);
    rmSync(join(path, '.lisa-studio.json'));
    put(join(path, 'report.json'));
    put(join(path, 'notes.txt'));
    expect(await refused(path, { overwrite: true })).toMatch(/not made by LISA Studio/);
    const folder = await (await planOutput(request(path, { resumes: true }))).claim();
    await folder.write(files('README.md', 'model.safetensors'));
    await folder.release();
    expect(await refused(path, { overwrite: true })).toMatch(/notes\.txt/);
    expect(text(path, 'notes.txt')).toBe('notes.txt');
  });

  test('one process at a time; a killed one is no obstacle', async () => {
    const path = fresh();
    const plan = await planOutput(request(path));
    const folder = await (await planOutput(request(path))).claim();
    expect(await refused(path)).toMatch(/Another process \(\d+ on .*\) writes to .*out now/);
    await expect(plan.claim()).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await folder.release();
    // No process has this number.
    mkdirSync(path, { recursive: true });
    put(join(path, '.lisa-studio.lock'), JSON.stringify({ pid: 2 ** 30, host: hostname(), mark: 'x' }));
    await (await plan.claim()).release();
    expect(readdirSync(path)).toEqual([]);
  });
});

describe('killed while it takes the place of an older one', () => {
  const killed = async (): Promise<{ path: string; folder: OutputFolder }> => {
    const path = fresh();
    await ownRun(path);
    const folder = await (await planOutput(request(path, { overwrite: true }))).claim();
    await folder.write(files('config.json'));
    await folder.release();
    return { path, folder };
  };
  const NEW = { 'config.json': 'new config.json' };

  test('before: both are whole, and resuming ends with the replacement', async () => {
    const { path } = await killed();
    expect(tree(path)).toHaveProperty(['README.md']);
    put(join(`${path}.new`, 'checkpoint', 'latest.json'), 'pointer');
    const folder = await (await planOutput(request(`${path}.new`, { resumes: true }))).claim();
    expect(await folder.finish()).toBe(path);
    await folder.release();
    expect(tree(path)).toEqual({ ...NEW, 'checkpoint/latest.json': 'pointer' });
    expect(readdirSync(dirname(path))).toEqual(['out']);
  });

  test('between the two renames, or before the old one is removed', async () => {
    for (const both of [false, true]) {
      const { path } = await killed();
      renameSync(path, `${path}.old`);
      if (both) renameSync(`${path}.new`, path);
      await expect(planOutput(request(path))).rejects.toMatchObject({ detail: expect.stringMatching(/already holds results/) as string });
      expect(tree(path)).toEqual(NEW);
      expect(readdirSync(dirname(path))).toEqual(['out']);
    }
  });

  test('a folder that only looks like the old one is not touched', async () => {
    const { path } = await killed();
    cpSync(path, `${path}.old`, { recursive: true });
    put(join(`${path}.old`, 'notes.txt'));
    renameSync(`${path}.new`, `${path}.other`);
    expect(await refused(path)).toMatch(/already holds results/);
    expect(text(`${path}.old`, 'notes.txt')).toBe('notes.txt');
    expect(text(`${path}.old`, 'README.md')).toBe('new README.md');
  });
});
