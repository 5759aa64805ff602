import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { AppError } from '../../base/errors';
import { plainFile, type ExportFile } from '../formats/export-file';
import { writeFolder, writeJson, writeText } from './output';
import { utf8 } from '../../testing/tiny-model';

const scratch = mkdtempSync(join(tmpdir(), 'lisa-output-'));
afterAll(() => rmSync(scratch, { recursive: true }));
let next = 0;
const fresh = (): string => join(scratch, String(next++), 'deep', 'out');

const failing = (path: string): ExportFile => ({
  path,
  size: 10,
  // oxlint-disable-next-line typescript/require-await
  async *chunks() {
    yield utf8('half');
    throw new AppError('NONFINITE_WEIGHTS', 'diverged', '');
  },
});

it('writes a folder of files in chunks and leaves no temporary', async () => {
  const out = fresh();
  const seen: string[][] = [];
  const chunked: ExportFile = {
    path: 'b.bin',
    size: 6,
    // oxlint-disable-next-line typescript/require-await
    async *chunks() {
      yield utf8('abc');
      seen.push(readdirSync(out));
      yield utf8('def');
    },
  };
  await writeFolder(out, [plainFile('a.txt', utf8('A')), chunked]);
  expect(readdirSync(out).sort()).toEqual(['a.txt', 'b.bin']);
  expect(readFileSync(join(out, 'b.bin'), 'utf8')).toBe('abcdef');
  // While the second file was written, neither had its name yet.
  expect(seen[0].every((name) => /^\..*\.tmp$/.test(name))).toBe(true);
});

it('writes into folders below, and takes them back when a file fails', async () => {
  const out = fresh();
  await expect(writeFolder(out, [plainFile('below/a.txt', utf8('A')), failing('b.bin')])).rejects.toThrow();
  expect(existsSync(join(out, '../..'))).toBe(false);
  await writeFolder(out, [plainFile('below/a.txt', utf8('A'))]);
  await expect(writeFolder(out, [plainFile('other/a.txt', utf8('A')), failing('below/b.bin')])).rejects.toThrow();
  expect(readdirSync(out)).toEqual(['below']);
  expect(readdirSync(join(out, 'below'))).toEqual(['a.txt']);
  for (const path of ['../a.txt', 'below/../../a.txt', '/a.txt', 'below//a.txt'])
    await expect(writeFolder(out, [plainFile(path, utf8('A'))])).rejects.toMatchObject({ code: 'INTERNAL' });
});

it('leaves nothing when a file fails: no file, no folder that was not there', async () => {
  const out = fresh();
  await expect(writeFolder(out, [plainFile('a.txt', utf8('A')), failing('b.bin')])).rejects.toMatchObject({ code: 'NONFINITE_WEIGHTS' });
  expect(existsSync(out)).toBe(false);
  expect(existsSync(join(out, '../..'))).toBe(false);
});

it('leaves an older export as it was when a file fails', async () => {
  const out = fresh();
  await writeFolder(out, [plainFile('a.txt', utf8('old'))]);
  await expect(writeFolder(out, [plainFile('a.txt', utf8('new')), failing('b.bin')])).rejects.toThrow();
  expect(readdirSync(out)).toEqual(['a.txt']);
  expect(readFileSync(join(out, 'a.txt'), 'utf8')).toBe('old');
  await writeFolder(out, [plainFile('a.txt', utf8('new'))]);
  expect(readFileSync(join(out, 'a.txt'), 'utf8')).toBe('new');
});

it('refuses a file that is shorter than it says, and a path out of the folder', async () => {
  const out = fresh();
  await expect(writeFolder(out, [{ ...plainFile('a', utf8('xy')), size: 3 }])).rejects.toMatchObject({ code: 'INTERNAL' });
  await expect(writeFolder(out, [plainFile('../a', utf8('xy'))])).rejects.toMatchObject({ code: 'INTERNAL' });
  expect(existsSync(out)).toBe(false);
});

it('turns the refusals of the system into STORAGE with the path', async () => {
  const out = fresh();
  mkdirSync(join(out, 'a'), { recursive: true });
  await expect(writeFolder(out, [plainFile('a', utf8('x'))])).rejects.toMatchObject({
    code: 'STORAGE',
    detail: expect.stringContaining(join(out, 'a')) as string,
  });
  writeFileSync(join(out, 'file'), '');
  await expect(writeFolder(join(out, 'file'), [])).rejects.toMatchObject({
    code: 'STORAGE',
    detail: expect.stringContaining('EEXIST') as string,
  });
  await expect(writeFolder(join(out, 'file', 'below'), [])).rejects.toMatchObject({
    code: 'STORAGE',
    detail: expect.stringContaining('ENOTDIR') as string,
  });
});

const isRoot = process.getuid?.() === 0;
if (isRoot) console.log('skipped: a folder without write permission (root may write everywhere)');
it.skipIf(isRoot)('names a folder without write permission', async () => {
  const out = fresh();
  mkdirSync(out, { recursive: true });
  chmodSync(out, 0o500);
  await expect(writeFolder(out, [plainFile('a', utf8('x'))])).rejects.toMatchObject({
    code: 'STORAGE',
    remedy: expect.stringContaining('permissions') as string,
  });
});

it('replaces text and JSON in one piece', async () => {
  const path = join(fresh(), 'report.json');
  await writeJson(path, { a: [1], b: 'ü' });
  expect(readFileSync(path, 'utf8')).toBe('{\n  "a": [\n    1\n  ],\n  "b": "ü"\n}\n');
  await writeText(path, 'new');
  expect(readFileSync(path, 'utf8')).toBe('new');
  expect(readdirSync(join(path, '..'))).toEqual(['report.json']);
});
