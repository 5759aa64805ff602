// One cache directory and several processes: killed ones, and two at once.

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { HubServer } from '../../testing/hub-server';
import type { HubModel } from './types';
import { NodeModels } from '../node/models';
import { modelFolder, TINY_LLAMA } from '../../testing/tiny-model';
import { HubClient } from './client';
import { downloadModel } from './download';
import { lookAtModel } from './look';
import { ModelCache } from './model-cache';

const COMMIT = 'c0ffee'.padEnd(40, '0');
const BIG = 'model.safetensors';
const scratch = mkdtempSync(join(tmpdir(), 'lisa-processes-'));
const server = new HubServer();
let files = new Map<string, Uint8Array<ArrayBuffer>>();
let program = '';
let big = new Uint8Array();
let client: HubClient;

beforeAll(async () => {
  await server.start();
  files = await modelFolder({ ...TINY_LLAMA, hidden_size: 64, intermediate_size: 512, vocab_size: 3000 });
  big = files.get(BIG)!;
  server.repos.set('org/tiny', { commit: COMMIT, files });
  client = new HubClient({ url: server.url, token: null });
  program = await downloaderProgram();
});

afterAll(async () => {
  await server.close();
  rmSync(scratch, { recursive: true });
});

beforeEach(() => {
  server.seen.length = 0;
  server.bytesPerSecond = 400_000;
});

const tiny = (): HubModel => ({ kind: 'hub', hub: server.url, repo: 'org/tiny', revision: 'main', commit: COMMIT });

/** The downloader as a program of its own. It prints what it waits for. */
async function downloaderProgram(): Promise<string> {
  const { build } = await import('vite');
  const entry = join(scratch, 'entry.ts');
  const here = import.meta.dirname;
  writeFileSync(
    entry,
    `import { HubClient } from '${here}/client';
     import { downloadModel } from '${here}/download';
     import { lookAtModel } from '${here}/look';
     import { ModelCache } from '${here}/model-cache';
     import { NodeModels } from '${here}/../node/models';
     const [, , hub, directory] = process.argv;
     const client = new HubClient({ url: hub, token: null });
     const { commit, files } = await lookAtModel(client, 'org/tiny', 'main');
     const model = { kind: 'hub', hub, repo: 'org/tiny', revision: 'main', commit } as const;
     await downloadModel(client, new ModelCache(new NodeModels(directory)), model, files, { onWait: (why) => console.log(why) });`,
  );
  await build({
    configFile: false,
    logLevel: 'error',
    build: {
      ssr: entry,
      outDir: join(scratch, 'dist'),
      target: 'node20',
      minify: false,
      rollupOptions: { output: { entryFileNames: 'entry.mjs' } },
    },
  });
  return join(scratch, 'dist', 'entry.mjs');
}

async function expectWhole(directory: string): Promise<void> {
  const cached = await new ModelCache(new NodeModels(directory)).find(tiny());
  expect(cached?.whole).toBe(true);
  const source = cached!.source();
  for (const path of await source.list()) expect(Buffer.from(await source.read(path)).equals(files.get(path)!), path).toBe(true);
}

test('killed in the middle of a download, another process goes on to identical bytes', async () => {
  const directory = mkdtempSync(join(scratch, 'cache-'));
  const cache = new ModelCache(new NodeModels(directory));
  const name = `${server.url.replace(/^http:\/\//, '').replace(':', '_')}--org--tiny--${COMMIT}`;
  const part = join(directory, name, BIG);
  const child = spawn(process.execPath, [program, server.url, directory], { stdio: 'inherit' });
  for (let waited = 0; waited < 20_000 && !(existsSync(part) && statSync(part).size > 100_000); waited += 20)
    await new Promise((resolve) => setTimeout(resolve, 20));
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('exit', resolve));
  const left = statSync(part).size;
  expect(left).toBeGreaterThan(100_000);
  expect(left).toBeLessThan(big.byteLength);
  expect((await cache.find(tiny()))?.whole).toBe(false);
  server.bytesPerSecond = Infinity;
  await downloadModel(client, cache, tiny(), (await lookAtModel(client, 'org/tiny', 'main')).files);
  await expectWhole(directory);
  // Its lock was no obstacle, and is gone.
  expect(readdirSync(directory)).toEqual([name]);
  console.log(`killed after ${left} of ${big.byteLength} bytes; went on to identical bytes`);
}, 60_000);

test('two processes and one directory: one downloads, the other waits for it and says so; identical bytes, fetched once', async () => {
  const directory = mkdtempSync(join(scratch, 'cache-'));
  server.bytesPerSecond = 1_600_000;
  const processes = [1, 2].map(() => {
    const child = spawn(process.execPath, [program, server.url, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    child.stdout.on('data', (text: Buffer) => (said += text.toString()));
    return new Promise<{ status: number | null; said: string }>((resolve) => child.once('close', (status) => resolve({ status, said })));
  });
  const ended = await Promise.all(processes);
  expect(ended.map(({ status }) => status)).toEqual([0, 0]);
  const waited = ended.filter(({ said }) => said !== '');
  expect(waited).toHaveLength(1);
  expect(waited[0].said).toMatch(
    /^Another process \(\d+ on .+\) downloads org\/tiny to .+; this one waits for it\. If there is none, delete .+\.lock\.$/m,
  );
  // Looks at the header aside.
  expect(server.transfers(BIG).filter(({ origin, range }) => origin === 'storage' && range === null)).toHaveLength(1);
  await expectWhole(directory);
  expect(readdirSync(directory)).toHaveLength(1);
}, 60_000);
