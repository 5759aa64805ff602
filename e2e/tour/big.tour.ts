// A model of SmolLM2-135M's size (its config, random weights in bf16, 269 MB) in the page, from a hub on loopback to the tuned model on
// disk: it shows what the built-in model of 2 million parameters cannot. Prints how far the page's process grows. Then the same model
// with every lever that saves memory, over switches of layers. Takes about fifteen minutes on a software GPU.

import { expect, test, type Page } from '@playwright/test';
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { serve } from '../../scripts/serve.mjs';
import { weightRule, weightsOf } from '../../src/cli/big-shapes/weights';
import { writeSafetensors } from '../../src/io/formats/safetensors';
import { parseModelConfig } from '../../src/model/config';
import { parameterTable } from '../../src/model/parameters';
import { PUBLIC_CONFIGS } from '../../src/model/public-configs';
import { HubServer } from '../../src/testing/hub-server';
import { phase, small, total, watch } from '../support/page';
import { PICTURES } from './pictures';

const ROOT = join(import.meta.dirname, '../..');
const BUILTIN = join(ROOT, 'public/models/wordsmith-2m');
const CONFIG = { ...PUBLIC_CONFIGS['smollm2-135m'], bos_token_id: 0, eos_token_id: 2, torch_dtype: 'bfloat16' };
/** The page's memory while a model of any size is downloaded, loaded, trained and written, above what it was before. */
const LIMIT_MB = 128;
const STEPS = 2;

async function bigHub(): Promise<HubServer> {
  const hub = await new HubServer().start();
  const tensors = parameterTable(parseModelConfig(CONFIG, 'config.json')).map((row, index) => ({
    name: row.name,
    dtype: 'bf16' as const,
    shape: row.shape,
    data: (start: number, end: number) => weightsOf(weightRule(row, index), start, end),
  }));
  const file = writeSafetensors(tensors, { format: 'pt' });
  const weights = new Uint8Array(file.size);
  let at = 0;
  for await (const chunk of file.chunks()) {
    weights.set(chunk, at);
    at += chunk.byteLength;
  }
  const files = new Map<string, Uint8Array>([
    ['model.safetensors', weights],
    ['config.json', new TextEncoder().encode(JSON.stringify(CONFIG))],
  ]);
  for (const name of ['tokenizer.json', 'tokenizer_config.json']) files.set(name, new Uint8Array(readFileSync(join(BUILTIN, name))));
  hub.repos.set('tests/smol-135m', { commit: 'd'.repeat(40), files });
  return hub;
}

/** Resident memory of the largest page process, in MB. GPU buffers live in another process. */
function rendererMegabytes(): number {
  const lines = execFileSync('ps', ['-eo', 'rss=,args='], { encoding: 'utf8' }).split('\n');
  const sizes = lines.filter((line) => line.includes('--type=renderer')).map((line) => Number(/^\s*(\d+)/.exec(line)?.[1] ?? 0) / 1000);
  return Math.max(...sizes);
}

/** The most that the process grows during `work`, above what it was before. */
async function growth(work: () => Promise<void>): Promise<number> {
  const before = rendererMegabytes();
  let most = before;
  const timer = setInterval(() => (most = Math.max(most, rendererMegabytes())), 100);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return most - before;
}

const snap = (page: Page, name: string): Promise<Buffer> => page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true });

/** Looks the model up, downloads it and chooses a few rows of text. */
async function choose(page: Page): Promise<void> {
  await page.getByRole('radio', { name: 'Hub', exact: true }).check();
  await page.getByLabel('Model on the Hub').fill('tests/smol-135m');
  await page.getByRole('button', { name: 'Look up', exact: true }).first().click();
  await expect(page.locator('.model-verdict .bar-row')).toHaveCount(3);
}

const download = async (page: Page): Promise<void> => {
  await page
    .locator('.panel')
    .getByRole('button', { name: /^Download / })
    .click();
  await expect(page.getByText('Training reads it from here')).toBeVisible({ timeout: 300_000 });
};

async function chooseData(page: Page): Promise<void> {
  await page.getByRole('group', { name: 'Data' }).getByRole('radio', { name: 'File' }).check();
  await page.locator('#field-data').setInputFiles({
    name: 'few.jsonl',
    mimeType: 'application/jsonl',
    buffer: Buffer.from(Array.from({ length: 12 }, (_, i) => JSON.stringify({ text: `Row ${i}: a few words to train on.` })).join('\n')),
  });
}

test('135 million parameters: looked up, downloaded, trained, kept', async ({ page }) => {
  test.setTimeout(1_800_000);
  const hub = await bigHub();
  const site = await serve(join(ROOT, 'dist'), 0, { hub: hub.url, redirects: [hub.storageUrl] });
  try {
    const complaints = watch(page);
    await page.goto(site.url);
    await expect(page.getByTestId('device')).toHaveAttribute('data-status', 'ready');
    await choose(page);
    await snap(page, 'big-verdict');
    const downloaded = await growth(() => download(page));
    console.log(`download: the page's process grows by ${downloaded.toFixed(0)} MB at most`);
    await chooseData(page);
    await small(page, { steps: String(STEPS), stepsPerPeriod: '1', batchSize: '1', seqLen: '32' });
    await snap(page, 'big-setup');
    const trained = await growth(async () => {
      await page.locator('[data-action="start"]').click();
      await expect(phase(page)).toHaveAttribute('data-phase', 'done', { timeout: 1_200_000 });
    });
    console.log(`load, evaluate, ${STEPS} steps: the page's process grows by ${trained.toFixed(0)} MB at most`);
    await snap(page, 'big-done');

    let bytes = 0;
    const exported = await growth(async () => {
      const waiting = page.waitForEvent('download', { timeout: 300_000 });
      await page.locator('[data-action="download"]').first().click();
      bytes = statSync(await (await waiting).path()).size;
    });
    console.log(`export of ${(bytes / 1e6).toFixed(0)} MB: the page's process grows by ${exported.toFixed(0)} MB at most`);
    expect(bytes).toBeGreaterThan(4 * 134e6);
    expect(complaints).toEqual([]);
    expect(Math.max(downloaded, trained, exported), 'MB').toBeLessThan(LIMIT_MB);
  } finally {
    await site.close();
    await hub.close();
  }
});

const LEVERS = 'weightStorage=int8&recompute=layer&optimizerState=int8&gradClipMode=block&lisaEmbedding=rows';

test('135 million parameters with every lever: four switches in less than 360 MB, as forecast', async ({ page }) => {
  test.setTimeout(1_800_000);
  const hub = await bigHub();
  const site = await serve(join(ROOT, 'dist'), 0, { hub: hub.url, redirects: [hub.storageUrl] });
  try {
    const complaints = watch(page);
    await page.goto(`${site.url}#${LEVERS}`);
    await expect(page.getByTestId('device')).toHaveAttribute('data-status', 'ready');
    await choose(page);
    await download(page);
    await chooseData(page);
    await small(page, { steps: '20', stepsPerPeriod: '4', batchSize: '1', seqLen: '32', saveEvery: '0', sampleTokens: '4' });
    await expect(page.locator('.waterfall [data-lever="precision"]')).toBeVisible();
    const begun = Date.now();
    await page.locator('[data-action="start"]').click();
    await expect(phase(page)).toHaveAttribute('data-phase', 'done', { timeout: 1_500_000 });
    const [forecast, peak] = [await total(page, 'LISA'), await total(page, 'Peak')];
    console.log(`every lever: ${peak} bytes at the peak, ${forecast} forecast; ${((Date.now() - begun) / 1000).toFixed(0)} s`);
    expect(peak).toBe(forecast);
    expect(peak).toBeLessThan(360e6);
    await expect(page.locator('.ended')).toContainText('The exported model, which has full precision, has');
    await snap(page, 'big-levers');
    expect(complaints).toEqual([]);
  } finally {
    await site.close();
    await hub.close();
  }
});
