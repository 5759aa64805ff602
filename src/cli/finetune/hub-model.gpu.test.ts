// A model of a hub in the terminal, from a hub on loopback: download, cache, a pinned commit, resume, and refusals in one line.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { HubServer } from '../../testing/hub-server';
import { cli, quickOptions } from '../../testing/tiny-cli';
import { temporaryFolder, writeTinyModel } from '../../testing/tiny-folder';
import { textRows } from '../../testing/tiny-session';

const COMMIT = 'abc123'.padEnd(40, '0');
const folder = temporaryFolder('hub-cli');
const server = new HubServer();
const DATA = join(folder.path, 'rows.jsonl');
let next = 0;

beforeAll(async () => {
  await server.start();
  const model = writeTinyModel(join(folder.path, 'tiny'), 'tiny-llama');
  const files = new Map(readdirSync(model).map((name) => [name, new Uint8Array(readFileSync(join(model, name)))]));
  server.repos.set('org/tiny', { commit: COMMIT, files });
  server.repos.set('org/gated', { commit: COMMIT, files, gated: true });
  server.tokens.add('hf_secret');
  writeFileSync(DATA, textRows(6).bytes);
});

afterAll(async () => {
  await server.close();
  folder.remove();
});

const options = (model: string, more: Readonly<Record<string, string>> = {}): string[] =>
  quickOptions(model, DATA, join(folder.path, `out-${next++}`), {
    'hub-url': server.url,
    'cache-dir': join(folder.path, 'cache'),
    ...more,
  });

test('trains from the cache, offline the second time, and resumes at the same commit', async () => {
  const out = join(folder.path, 'run');
  const first = await cli(options('org/tiny', { out }), { gpu: true });
  expect(first).toMatchObject({ status: 0, stderr: expect.stringContaining('every digest correct') as string });
  expect(first.stdout).toContain(`org/tiny`);
  server.seen.length = 0;
  // Pinned: no question to the hub at all.
  const tuned = join(folder.path, 'pinned');
  const pinned = await cli(options(`org/tiny@${COMMIT}`, { steps: '1', method: 'lora', out: tuned }), { gpu: true });
  expect([pinned.status, server.seen.length]).toEqual([0, 0]);
  const adapter = JSON.parse(readFileSync(join(tuned, 'adapter', 'adapter_config.json'), 'utf8')) as unknown;
  expect(adapter).toMatchObject({ base_model_name_or_path: 'org/tiny', revision: COMMIT });
  const resumed = await cli(['--resume', out, '--hub-url', server.url, '--cache-dir', join(folder.path, 'cache'), '--data', DATA], {
    gpu: true,
  });
  expect({ status: resumed.status, stderr: resumed.stderr, asked: server.seen.length }).toEqual({ status: 0, stderr: '', asked: 0 });
});

test.each([
  [
    'org/ghost',
    2,
    /^finetune: --model org\/ghost: this directory does not exist\. As a model of the hub: .*private or gated.* accept the licence/,
  ],
  ['org/gated', 2, /Accept the licence at .*org\/gated and enter a token/],
  ['org/tiny@v7', 2, /no revision v7/],
  ['https://evil.test/org/tiny', 2, /is not the hub/],
])('%s: status %i, one line', async (model, status, line) => {
  const result = await cli(options(model));
  expect(result).toMatchObject({ status, stderr: expect.stringMatching(line) as string });
  expect(result.stderr.trim()).not.toContain('\n');
});

test('a data set by its id: its first row before the download, then from the cache, and a resume at the same commit without the hub', async () => {
  const set = join(import.meta.dirname, '../../testing/fixtures/parquet/zstd.parquet');
  const files = new Map(['train', 'test'].map((split) => [`default/${split}/0000.parquet`, new Uint8Array(readFileSync(set))]));
  server.repos.set('datasets/org/set', { commit: COMMIT, files, revisions: ['refs/convert/parquet'] });
  const out = join(folder.path, 'set-run');
  const more = { out, data: 'org/set', 'eval-data': 'org/set#test', dedupe: 'off', mask: 'all', 'seq-len': '24', 'batch-size': '1' };
  const first = await cli(options('org/tiny', more), { gpu: true });
  expect(first.stderr).toMatch(/org\/set, configuration default, split train: .*Its first row:\n.*"question 0/);
  expect(first).toMatchObject({ status: 0, stdout: expect.stringContaining('org/set (default/train)') as string });
  server.seen.length = 0;
  const resumed = await cli(['--resume', out, '--hub-url', server.url, '--cache-dir', join(folder.path, 'cache')], { gpu: true });
  expect({ status: resumed.status, stderr: resumed.stderr, asked: server.seen.length }).toEqual({ status: 0, stderr: '', asked: 0 });
  const none = await cli(options('org/tiny', { data: 'org/none' }));
  expect(none).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/--data org\/none: this file does not exist\. As a data set/) as string,
  });
});

test('a token from the environment opens a gated model and is printed nowhere', async () => {
  const result = await cli(options('org/gated', { steps: '1' }), { gpu: true, env: { HF_TOKEN: 'hf_secret' } });
  expect(result.status).toBe(0);
  expect(result.stdout + result.stderr).not.toContain('hf_secret');
  expect(server.seen.filter(({ origin, authorization }) => origin === 'storage' && authorization !== null)).toEqual([]);
});

test('settings that do not fit the model are refused before its weights are downloaded', async () => {
  const before = server.transfers('model.safetensors').length;
  const result = await cli(options('org/tiny', { 'seq-len': '4096', 'cache-dir': join(folder.path, 'other') }));
  expect(result).toMatchObject({ status: 2, stderr: expect.stringContaining('--seq-len') as string });
  const after = server.transfers('model.safetensors').slice(before);
  expect(after.every(({ range }) => range?.startsWith('bytes=0-'))).toBe(true);
});

test('a hub that fails: status 1, or the model from the cache if it is there', async () => {
  const fail = (): void =>
    void server.faults.push(...Array.from({ length: 3 }, () => ({ path: '(list)', fault: { kind: 'status', status: 502 } as const })));
  fail();
  const empty = await cli(options('org/tiny', { 'cache-dir': join(folder.path, 'empty') }));
  expect(empty).toMatchObject({ status: 1, stderr: expect.stringMatching(/status 502.*Try again later/) as string });
  fail();
  const cached = await cli(options('org/tiny', { steps: '1' }));
  expect(cached.stderr).toMatch(/cannot be reached; org\/tiny is used from the cache, at commit abc123/);
  expect((await cli(['--hub-url', 'http://mirror.test'])).stderr).toMatch(/^finetune: --hub-url: .*not encrypted/);
});
