// A hub in the browser, without a GPU: the page's own worker, the real private file system, the server's security
// policy. It shows what unit tests cannot: that Chromium drops the token at the second origin and asks that origin for
// no permission.

import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, type Page } from '@playwright/test';
import { serve } from '../../scripts/serve.mjs';
import { modelFolder, TINY_LLAMA } from '../../src/testing/tiny-model';
import { HubServer, type Fault } from '../../src/testing/hub-server';
import type { DownloadState, StoredModel } from '../../src/io/hub/types';
import type { Command, Event } from '../../src/worker/protocol';

const DIST = join(import.meta.dirname, '../../dist');
const COMMIT = 'c0ffee'.padEnd(40, '0');
const BIG = 'model.safetensors';

/** The page's worker under the test's own hand. */
async function startWorker(page: Page): Promise<void> {
  const script = readdirSync(join(DIST, 'assets')).find((name) => /^worker-.*\.js$/.test(name));
  await page.evaluate((name) => {
    const worker = new Worker(`assets/${name}`, { type: 'module' });
    const events: unknown[] = [];
    worker.onmessage = ({ data }) => events.push(data);
    Object.assign(window, { hubTest: { worker, events } });
  }, script);
}

interface Hand {
  readonly hubTest: { readonly worker: Worker; readonly events: Event[] };
}

const send = (page: Page, command: Command): Promise<void> =>
  page.evaluate((data) => (window as unknown as Hand).hubTest.worker.postMessage(data), command);

/** The last event of this type, as soon as there is one that fits. */
async function last<T extends Event['type']>(page: Page, type: T, fits: (event: Extract<Event, { type: T }>) => boolean = () => true) {
  let found: Extract<Event, { type: T }> | undefined;
  await expect
    .poll(
      async () => {
        const events = await page.evaluate(() => (window as unknown as Hand).hubTest.events);
        found = events.filter((event): event is Extract<Event, { type: T }> => event.type === type).findLast(fits);
        return found !== undefined;
      },
      { timeout: 60_000, intervals: [50] },
    )
    .toBe(true);
  return found!;
}

const download = async (page: Page, phase: DownloadState['phase'], bytes = 0): Promise<DownloadState> =>
  (await last(page, 'download', (event) => event.download.phase === phase && event.download.bytes > bytes)).download;

/** SHA-256 of the weights as stored in the browser's private file system. */
const storedDigest = (page: Page): Promise<string> =>
  page.evaluate(async (name) => {
    const models = await (await navigator.storage.getDirectory()).getDirectoryHandle('models');
    for await (const folder of models.keys()) {
      const file = await (await (await models.getDirectoryHandle(folder)).getFileHandle(name)).getFile();
      const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', await file.arrayBuffer()));
      return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
    }
    return '';
  }, BIG);

test('a gated model: five cuts, a reload in the middle, the token at one origin only, no other host', async ({ page }) => {
  const hub = await new HubServer().start();
  const stranger = await new HubServer().start();
  const site = await serve(DIST, 0, { hub: hub.url, redirects: [hub.storageUrl] });
  try {
    const files = await modelFolder({ ...TINY_LLAMA, hidden_size: 64, intermediate_size: 512, vocab_size: 3000 });
    for (const server of [hub, stranger]) server.repos.set('org/gated', { commit: COMMIT, files, gated: server === hub });
    hub.tokens.add('hf_secret');
    const expected = createHash('sha256').update(files.get(BIG)!).digest('hex');

    await page.goto(site.url);
    await startWorker(page);
    await send(page, { type: 'hub', url: hub.url, token: null });
    await send(page, { type: 'preflight', id: 1, repo: 'org/gated', revision: 'main' });
    expect((await last(page, 'preflightFailed')).error.code).toBe('HUB_GATED');
    await send(page, { type: 'hub', url: hub.url, token: 'hf_secret' });
    await send(page, { type: 'preflight', id: 2, repo: 'org/gated', revision: 'main' });
    const { model } = (await last(page, 'preflight')).preflight;
    hub.seen.length = 0;

    const cuts = [1000, 100_000, 1, 65_536, 200_000].map((after): Fault => ({ kind: 'cut', after }));
    hub.faults.push(...cuts.map((fault) => ({ path: BIG, fault })));
    await send(page, { type: 'download', model });
    await download(page, 'done');
    expect(await storedDigest(page)).toBe(expected);
    const starts = hub
      .transfers(BIG)
      .filter(({ origin }) => origin === 'storage')
      .map(({ range }) => range ?? 'the beginning');
    console.log(`five cuts in Chromium: ${starts.join(', ')}; sha256 ${expected.slice(0, 16)}…, identical`);
    expect(starts).toHaveLength(6);

    await send(page, { type: 'deleteModel', model });
    await last(page, 'models', ({ models }) => models.length === 0);
    hub.bytesPerSecond = 300_000;
    await page.evaluate(() => ((window as unknown as Hand).hubTest.events.length = 0));
    await send(page, { type: 'download', model });
    await download(page, 'downloading', 300_000);
    await page.reload();
    hub.bytesPerSecond = Infinity;
    await startWorker(page);
    await send(page, { type: 'hub', url: hub.url, token: 'hf_secret' });
    await send(page, { type: 'listModels' });
    const [part] = (await last(page, 'models')).models as [StoredModel];
    expect([part.whole, part.bytes > 300_000, part.bytes < part.total]).toEqual([false, true, true]);
    await send(page, { type: 'download', model });
    await download(page, 'done');
    expect(await storedDigest(page)).toBe(expected);
    console.log(`reload after ${part.bytes} of ${part.total} bytes: identical at the end`);

    const of = (origin: string) => hub.seen.filter((seen) => seen.origin === origin && seen.method === 'GET');
    expect(new Set(of('hub').map(({ authorization }) => authorization))).toEqual(new Set(['Bearer hf_secret']));
    expect(new Set(of('storage').map(({ authorization }) => authorization))).toEqual(new Set([null]));
    expect(hub.seen.filter(({ origin, method }) => origin === 'storage' && method !== 'GET')).toEqual([]);
    console.log(`token in Chromium: ${of('hub').length} requests to the hub with it, ${of('storage').length} to the second origin without`);

    await send(page, { type: 'hub', url: stranger.url, token: 'hf_secret' });
    await send(page, { type: 'preflight', id: 3, repo: 'org/gated', revision: 'main' });
    expect((await last(page, 'preflightFailed', ({ id }) => id === 3)).error.code).toBe('HUB_CONNECTION');
    expect(stranger.seen).toEqual([]);
  } finally {
    await site.close();
    await hub.close();
    await stranger.close();
  }
});
