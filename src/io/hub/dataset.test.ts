// A data set of the hub: its configurations and splits, its first rows before a download, its files in the cache.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { textPieces } from '../../data/read/text-stream';
import { HubServer } from '../../testing/hub-server';
import { NodeModels } from '../node/models';
import { HubClient } from './client';
import { firstRows, lookAtDataset, parseDatasetName, storedDataset } from './dataset';
import { downloadModel } from './download';
import { ModelCache } from './model-cache';

const COMMIT = 'd47a'.padEnd(40, '0');
const server = new HubServer();
const folder = mkdtempSync(join(tmpdir(), 'lisa-dataset-'));
const fixture = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(join(import.meta.dirname, '../../testing/fixtures/parquet', name)));
const rows = new TextDecoder().decode(fixture('rows.json')).trim().split('\n');

beforeAll(async () => {
  await server.start();
  server.tokens.add('hf_secret');
  const files = new Map([
    ['default/train/0000.parquet', fixture('snappy.parquet')],
    ['default/train/0001.parquet', fixture('zstd.parquet')],
    ['default/test/0000.parquet', fixture('gzip.parquet')],
    ['other/partial-validation/0000.parquet', fixture('v2.parquet')],
    ['README.md', fixture('rows.json')],
  ]);
  server.repos.set('datasets/org/set', { commit: COMMIT, files, revisions: ['refs/convert/parquet'] });
  server.repos.set('datasets/org/plain', { commit: COMMIT, files });
  server.repos.set('datasets/org/gated', { commit: COMMIT, files, gated: true, revisions: ['refs/convert/parquet'] });
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

const client = (token: string | null = null): HubClient => new HubClient({ url: server.url, token });
const look = (text: string) => lookAtDataset(client(), parseDatasetName(text, server.url));

test.each([
  ['org/set', { repo: 'org/set', revision: 'refs/convert/parquet', config: null, split: null }],
  ['org/set#test', { repo: 'org/set', config: null, split: 'test' }],
  [`org/set@${COMMIT}#other/validation`, { revision: COMMIT, config: 'other', split: 'validation' }],
  ['https://huggingface.co/datasets/tatsu-lab/alpaca', { repo: 'tatsu-lab/alpaca', config: null }],
])('%s', (text, name) => expect(parseDatasetName(text, server.url)).toMatchObject(name));

test.each(['org/set#a/b/c', 'org/set#', 'org/set#a#b', '../set', 'https://evil.test/datasets/org/set'])('%s is refused', (text) => {
  expect(() => parseDatasetName(text, server.url)).toThrow(expect.objectContaining({ code: 'HUB_NAME' }));
});

test('the usual configuration and split are taken, others by name, and what is not there is told with what is', async () => {
  expect(await look('org/set')).toMatchObject({
    config: 'default',
    split: 'train',
    partial: false,
    name: `org/set@${COMMIT}#default/train`,
  });
  expect(await look('org/set#test')).toMatchObject({ split: 'test' });
  expect(await look('org/set#other/validation')).toMatchObject({ config: 'other', partial: true });
  await expect(look('org/set#valid')).rejects.toMatchObject({
    code: 'HUB_NOT_FOUND',
    message: expect.stringContaining('train, test') as string,
  });
  await expect(look('org/set#x/train')).rejects.toMatchObject({ message: expect.stringContaining('default, other') as string });
  await expect(look('org/plain')).rejects.toMatchObject({ detail: 'The hub has no Parquet version of org/plain.' });
});

test('the first rows are read by ranges, from the first file alone; data that cannot be read is refused there', async () => {
  const found = await look('org/set');
  server.seen.length = 0;
  const first = await firstRows(client(), found, null, 3);
  expect(first.map((row) => JSON.parse(row) as unknown)).toEqual(rows.slice(0, 3).map((row) => JSON.parse(row) as unknown));
  expect(server.seen.every(({ path, range }) => path.includes('/default/train/0000.parquet') && range !== null)).toBe(true);
  await expect(firstRows(client(), found, { text: 'nothing' })).rejects.toMatchObject({ code: 'DATASET_EMPTY' });
});

test('all files of a split are stored and read as one stream; the token goes to the hub alone', async () => {
  const cache = new ModelCache(new NodeModels(folder));
  const gated = client('hf_secret');
  const found = await lookAtDataset(gated, parseDatasetName('org/gated', server.url));
  server.seen.length = 0;
  const cached = await downloadModel(gated, cache, found.model, found.files);
  expect(server.seen.filter(({ origin }) => origin === 'storage').map(({ authorization }) => authorization)).toEqual([null, null]);
  let text = '';
  for await (const piece of textPieces(await storedDataset('org/gated', cached.source()))) text += piece.text;
  const read = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
  expect(read).toEqual([...rows, ...rows].map((row) => JSON.parse(row) as unknown));
  expect((await cache.findRevision(server.url, 'datasets/org/gated/default/train', COMMIT))?.whole).toBe(true);
  await expect(lookAtDataset(client('hf_wrong'), parseDatasetName('org/gated', server.url))).rejects.toMatchObject({ code: 'HUB_GATED' });
});
