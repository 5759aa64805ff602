// The worker's service and a hub on loopback: look, download, pause, reload, resume, a run from the cache, and resuming
// it after a reload, even if the cache has been emptied meanwhile.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunConfig } from '../config/run-config';
import { nodeLab } from '../testing/node-lab';
import { spyOnBuffers } from '../testing/buffer-spy';
import { HubServer } from '../testing/hub-server';
import { temporaryFolder, writeTinyModel } from '../testing/tiny-folder';
import { pickedData, TestPage } from '../testing/tiny-service';
import { TINY_CONFIG } from '../testing/tiny-session';
import type { DownloadState, HubModel } from '../io/hub/types';

const COMMIT = 'abc123'.padEnd(40, '0');
const folder = temporaryFolder('hub-service');
const server = new HubServer();
const CONFIG: RunConfig = { ...TINY_CONFIG, steps: 6, saveEvery: 2, evalEvery: 0 };

beforeAll(async () => {
  await server.start();
  const path = writeTinyModel(join(folder.path, 'tiny'), 'tiny-llama');
  const files = new Map(readdirSync(path).map((name) => [name, new Uint8Array(readFileSync(join(path, name)))]));
  server.repos.set('org/tiny', { commit: COMMIT, files });
});

afterAll(async () => {
  await server.close();
  folder.remove();
});

const model = (): HubModel => ({ kind: 'hub', hub: server.url, repo: 'org/tiny', revision: 'main', commit: COMMIT });

async function opened(page = new TestPage()): Promise<TestPage> {
  await page.send({ type: 'hub', url: server.url, token: null });
  await page.send({ type: 'open', base: 'http://localhost/' });
  // It continues after the answer, and the next test file counts buffers.
  await page.next(({ type }) => type === 'speed' || undefined, 0);
  return page;
}

const downloads = (page: TestPage): DownloadState[] => page.events.flatMap((event) => (event.type === 'download' ? [event.download] : []));
const phase = (page: TestPage, wanted: DownloadState['phase']): Promise<DownloadState> =>
  page.next((event) => (event.type === 'download' && event.download.phase === wanted ? event.download : undefined));
const listed = (page: TestPage) => page.next((event) => (event.type === 'models' ? event : undefined));

/** Looks the model up: its headers are read before any fault is put in. */
async function looked(page: TestPage): Promise<unknown> {
  const answer = page.next((event) =>
    event.type === 'preflight' ? event.preflight : event.type === 'preflightFailed' ? event.error : undefined,
  );
  await page.send({ type: 'preflight', id: 1, repo: 'org/tiny', revision: 'main' });
  return answer;
}

/** A download that has stopped in the middle of the weights and waits. */
async function startAndStall(page: TestPage): Promise<void> {
  server.faults.push({ path: 'model.safetensors', fault: { kind: 'stall', after: 300_000 } });
  await page.send({ type: 'download', model: model() });
  const part = (): number => page.opfs.usage;
  for (let waited = 0; waited < 10_000 && part() < 300_000; waited += 20) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(part()).toBeGreaterThan(300_000);
}

async function downloaded(page: TestPage): Promise<void> {
  const done = phase(page, 'done');
  await page.send({ type: 'download', model: model() });
  await done;
}

test('a look, a download that is paused, a reload, the rest, the list', async () => {
  const page = await opened();
  expect(await looked(page)).toMatchObject({ model: model(), whole: false, cachedBytes: 0, licence: 'mit', gated: false });

  await startAndStall(page);
  const pausing = phase(page, 'paused');
  await page.send({ type: 'pauseDownload' });
  await pausing;

  const again = await opened(page.reloaded());
  const list = listed(again);
  await again.send({ type: 'listModels' });
  const [part] = (await list).models;
  expect(part).toMatchObject({ model: model(), whole: false });
  expect(part.bytes).toBeGreaterThan(300_000);
  expect(part.bytes).toBeLessThan(part.total);
  await downloaded(again);
  expect(downloads(again).at(-1)).toMatchObject({ phase: 'done', bytes: part.total, total: part.total, error: null });

  // A stored model is known without the hub.
  server.seen.length = 0;
  const stored = again.next((event) => (event.type === 'preflight' ? event.preflight : undefined));
  await again.send({ type: 'preflight', id: 2, repo: 'org/tiny', revision: 'main', commit: COMMIT });
  expect(await stored).toMatchObject({ whole: true, bytes: part.total });
  expect(server.seen).toEqual([]);
});

test('a cancelled download leaves nothing; a failed one says why and keeps what has arrived', async () => {
  const page = await opened();
  await looked(page);
  await startAndStall(page);
  const cancelled = phase(page, 'cancelled');
  await page.send({ type: 'cancelDownload' });
  await cancelled;
  expect(page.opfs.paths).toEqual([]);

  server.faults.push({ path: 'model.safetensors', fault: { kind: 'wrong' } });
  const failed = phase(page, 'failed');
  const list = listed(page);
  await page.send({ type: 'download', model: model() });
  expect(await failed).toMatchObject({ error: { code: 'HUB_DIGEST' } });
  expect((await list).models).toMatchObject([{ whole: false }]);
});

test('a run of a stored model resumes after a reload, and asks for a download if the cache was emptied', async () => {
  const page = await opened();
  await page.start('a', CONFIG, model(), pickedData(4));
  expect(await page.nextOf('a', 'failed', undefined, 0)).toMatchObject({ error: { code: 'MODEL_FILE', remedy: 'Download it first.' } });
  await downloaded(page);
  const saved = page.nextOf('b', 'checkpoint');
  await page.start('b', CONFIG, model(), pickedData(4));
  await saved;
  const after = page.reloaded();
  // The model of a resumable run is not deleted.
  const refused = page.next((event) => (event.type === 'modelsFailed' ? event.error : undefined));
  await page.send({ type: 'deleteModel', model: model() });
  expect(await refused).toMatchObject({
    code: 'STORAGE',
    detail: expect.stringContaining('is the model of the current run') as string,
  });
  await page.send({ type: 'discard' });

  const offered = (of: TestPage, from = 0) => of.next((event) => (event.type === 'resumable' ? event : undefined), from);
  await opened(after);
  expect(await offered(after)).toMatchObject({ runId: 'b', needsModel: null, needsDownload: null });
  const kept = after.next((event) => (event.type === 'modelsFailed' ? event.error : undefined));
  await after.send({ type: 'deleteModel', model: model() });
  expect(await kept).toMatchObject({ detail: expect.stringContaining('is the model of an unfinished run') as string });

  for (const path of after.opfs.paths) expect(path).toMatch(/^models\//);
  after.opfs.root.folders.clear();
  const empty = await opened(after.reloaded());
  expect(await offered(empty)).toMatchObject({ runId: 'b', needsModel: null, needsDownload: model() });
  const from = empty.events.length;
  await downloaded(empty);
  expect(await offered(empty, from)).toMatchObject({ runId: 'b', needsDownload: null });
  const done = empty.nextOf('b', 'done');
  await empty.send({ type: 'resume', runId: 'b' });
  expect((await done).report.evalLoss.length).toBeGreaterThan(0);
});

test('a model is kept while a run reads it, with the reason; once the run has ended it goes, and the run with it', async () => {
  const page = await opened();
  await downloaded(page);
  const uses = async (): Promise<unknown> => {
    const list = listed(page);
    await page.send({ type: 'listModels' });
    return (await list).models.map(({ usedBy }) => usedBy);
  };
  expect(await uses()).toEqual([null]);
  const spy = spyOnBuffers((await nodeLab()).gpu);
  const held = page.phase('c', 'paused');
  await page.start('c', { ...CONFIG, saveEvery: 0 }, model(), pickedData(4), true);
  await held;
  expect(await uses()).toEqual(['run']);
  const refused = page.next((event) => (event.type === 'modelsFailed' ? event.error : undefined));
  await page.send({ type: 'deleteModel', model: model() });
  expect(await refused).toMatchObject({ detail: expect.stringContaining('of the current run') as string });

  const list = listed(page);
  const done = page.nextOf('c', 'done');
  await page.send({ type: 'continue' });
  await done;
  // The page is told without asking.
  expect((await list).models).toMatchObject([{ usedBy: 'ended run' }]);
  expect(spy.live()).toBeGreaterThan(0);
  const closed = page.next((event) => (event.type === 'closed' ? event.runId : undefined));
  const gone = listed(page);
  await page.send({ type: 'deleteModel', model: model() });
  expect(await closed).toBe('c');
  expect((await gone).models).toEqual([]);
  expect([page.opfs.paths.filter((path) => !path.startsWith('finished/c/')), spy.live()]).toEqual([[], 0]);
  spy.end();
  const failed = page.next((event) => (event.type === 'exportFailed' ? event.error : undefined));
  await page.send({ type: 'export', runId: 'a', what: 'model' });
  expect(await failed).toMatchObject({ detail: 'The model of this run is not stored in this browser.' });
});

test('nonsense is refused by name', async () => {
  const page = await opened();
  for (const url of ['http://mirror.test', 'x']) {
    const refused = page.next((event) => (event.type === 'refused' ? event.error : undefined));
    await page.send({ type: 'hub', url, token: null });
    expect(await refused).toMatchObject({ code: 'HUB_NAME' });
  }
});
