import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { fetchSource } from './fetch-source';
import { fileListSource } from './file-list-source';
import type { FileSource } from './file-source';
import { openModel } from './model-files';
import { nodeSource, openDataFile } from '../node/source';
import { modelFolder, TINY_LLAMA, utf8, type Files } from '../../testing/tiny-model';

const scratch = mkdtempSync(join(tmpdir(), 'lisa-sources-'));
afterAll(() => rmSync(scratch, { recursive: true }));

function onDisk(files: Files): string {
  const directory = mkdtempSync(join(scratch, 'tiny-'));
  for (const [path, bytes] of files) writeFileSync(join(directory, path), bytes);
  return directory;
}

const page = 'https://studio.test/models/tiny/';

/** A server of a single-page app: what it does not have is answered with the page. */
const server =
  (files: Files, log: string[] = []): typeof fetch =>
  (input) => {
    const url = input as string;
    log.push(url);
    const bytes = files.get(decodeURIComponent(url.slice(page.length)));
    return Promise.resolve(
      bytes ? new Response(bytes) : new Response('<!doctype html>', { headers: { 'content-type': 'text/html; charset=utf-8' } }),
    );
  };

function picked(path: string, bytes: Uint8Array<ArrayBuffer>): File {
  const file = new File([bytes], path.split('/').at(-1)!);
  return Object.defineProperty(file, 'webkitRelativePath', { value: path });
}

const SOURCES: [string, (files: Files) => Promise<FileSource>][] = [
  ['a directory', (files) => nodeSource(onDisk(files))],
  ['a server', (files) => Promise.resolve(fetchSource('tiny', page, [...files.keys()], server(files)))],
  ['picked files', (files) => Promise.resolve(fileListSource([...files].map(([path, bytes]) => picked(`top/${path}`, bytes))))],
];

describe.each(SOURCES)('%s', (_, build) => {
  it('lists, measures and reads whole files and ranges', async () => {
    const source = await build(
      new Map([
        ['a', utf8('hello')],
        ['b', utf8('')],
      ]),
    );
    expect(await source.list()).toEqual(['a', 'b']);
    expect(await source.size('a')).toBe(5);
    expect(await source.read('a')).toEqual(utf8('hello'));
    expect(await source.read('a', 1, 3)).toEqual(utf8('el'));
    expect(await source.read('a', 2)).toEqual(utf8('llo'));
    expect(await source.read('b')).toEqual(utf8(''));
  });

  it('names a file that is not there, and a range past the end', async () => {
    const source = await build(new Map([['a', utf8('hello')]]));
    for (const attempt of [() => source.read('ghost'), () => source.size('ghost'), () => source.read('../a')]) {
      await expect(attempt()).rejects.toMatchObject({ code: 'MODEL_FILE', detail: expect.stringMatching(/ghost|\.\.\/a/) as string });
    }
    await expect(source.read('a', 3, 9)).rejects.toMatchObject({ code: 'MODEL_FILE' });
  });

  it('loads a model', async () => {
    const model = await openModel(await build(await modelFolder(TINY_LLAMA)));
    let count = 0;
    for await (const { data } of model.pieces()) count += data.length;
    expect(count).toBe(11 * 8 + 2 * (64 + 32 + 32 + 64 + 3 * 96 + 16) + 8);
  });
});

describe('a directory', () => {
  it('must exist and be a directory', async () => {
    await expect(nodeSource(join(scratch, 'ghost'))).rejects.toMatchObject({
      code: 'MODEL_FILE',
      detail: expect.stringContaining('does not exist') as string,
    });
    writeFileSync(join(scratch, 'file'), '');
    await expect(nodeSource(join(scratch, 'file'))).rejects.toMatchObject({
      code: 'MODEL_FILE',
      detail: expect.stringContaining('is a file') as string,
    });
  });

  it('follows links, and lists neither broken ones nor folders', async () => {
    const directory = onDisk(new Map([['real', utf8('x')]]));
    symlinkSync(join(directory, 'real'), join(directory, 'link'));
    symlinkSync(join(directory, 'gone'), join(directory, 'broken'));
    mkdirSync(join(directory, 'folder'));
    const source = await nodeSource(`${directory}/`);
    expect(await source.list()).toEqual(['link', 'real']);
    expect(await source.read('link')).toEqual(utf8('x'));
    await expect(source.size('folder')).rejects.toMatchObject({ code: 'MODEL_FILE' });
  });

  it('reads single data files', async () => {
    const directory = onDisk(new Map([['rows.jsonl', utf8('{}')]]));
    const stream = await openDataFile(join(directory, 'rows.jsonl'));
    // Twice, as a run reads what a look at the data has read.
    for (let time = 0; time < 2; time++) {
      let bytes = 0;
      for await (const chunk of stream.chunks()) bytes += chunk.length;
      expect({ name: stream.name, bytes }).toEqual({ name: 'rows.jsonl', bytes: stream.size });
    }
    await expect(openDataFile(join(directory, 'ghost.txt'))).rejects.toMatchObject({
      code: 'DATASET_READ',
      detail: expect.stringContaining('ghost.txt') as string,
    });
    await expect(openDataFile(directory)).rejects.toMatchObject({ code: 'DATASET_READ' });
  });
});

describe('a server', () => {
  it('is asked once per file while one file is read', async () => {
    const log: string[] = [];
    const files = await modelFolder(TINY_LLAMA);
    const model = await openModel(fetchSource('tiny', page, [...files.keys()], server(files, log)));
    for await (const tensor of model.pieces()) void tensor;
    expect(log.filter((url) => url.endsWith('model.safetensors'))).toHaveLength(1);
  });

  it('names the address of a listed file that the server does not have, and asks again later', async () => {
    const files: Files = new Map();
    const source = fetchSource('tiny', page, ['a'], server(files));
    await expect(source.read('a')).rejects.toMatchObject({
      code: 'MODEL_FILE',
      detail: expect.stringContaining(`${page}a (the server answered with a web page)`) as string,
    });
    files.set('a', utf8('now'));
    expect(await source.read('a')).toEqual(utf8('now'));
    const gone = fetchSource('tiny', page, ['a'], () => Promise.resolve(new Response('', { status: 404 })));
    await expect(gone.read('a')).rejects.toMatchObject({ code: 'MODEL_FILE', detail: expect.stringContaining('status 404') as string });
    const offline = fetchSource('tiny', page, ['a'], () => Promise.reject(new TypeError('Failed to fetch')));
    await expect(offline.read('a')).rejects.toMatchObject({
      code: 'MODEL_FILE',
      detail: expect.stringContaining('could not be fetched') as string,
    });
  });
});

describe('picked files', () => {
  it('lose the top folder, keep the ones below, and need no folder', async () => {
    const source = fileListSource([picked('top/a', utf8('1')), picked('top/sub/b', utf8('2'))]);
    expect(source.name).toBe('top');
    expect(await source.list()).toEqual(['a', 'sub/b']);
    const loose = fileListSource([new File(['x'], 'config.json')], 'mine');
    expect(loose.name).toBe('mine');
    expect(await loose.list()).toEqual(['config.json']);
  });

  it('refuses two files of one name', () => {
    expect(() => fileListSource([new File(['x'], 'a'), new File(['y'], 'a')])).toThrow('"a"');
  });
});
