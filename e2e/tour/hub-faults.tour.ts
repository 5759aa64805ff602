// What goes wrong with a download in a real browser: no connection, altered bytes, no room before it and in its middle; and a
// model's folder that is dropped on the page, as the system hands it over.

import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, type Page } from '@playwright/test';
import { serve } from '../../scripts/serve.mjs';
import { HubServer } from '../../src/testing/hub-server';
import { open, watch } from '../support/page';
import { look, PICTURES, type Finding } from './pictures';

const ROOT = join(import.meta.dirname, '../..');
const MODEL = join(ROOT, 'public/models/wordsmith-2m');
const BIG = 'model.safetensors';
const START = '[data-action="start"]';

const findings: Finding[] = [];
test.afterAll(() => {
  console.log(`\nFindings: ${findings.length}`);
  for (const { screen, rule, impact, where } of findings) console.log(`  ${screen}: ${rule} (${impact}) ${where}`);
});

async function smallHub(): Promise<HubServer> {
  const hub = await new HubServer().start();
  const files = new Map(readdirSync(MODEL).map((name) => [name, new Uint8Array(readFileSync(join(MODEL, name)))]));
  hub.repos.set('tests/wordsmith', { commit: 'a'.repeat(40), files });
  return hub;
}

async function lookUp(page: Page): Promise<void> {
  await page.getByLabel('Model on the Hub').fill('tests/wordsmith');
  await page.getByRole('button', { name: 'Look up', exact: true }).first().click();
}

const panel = (page: Page) => page.locator('#model-panel');
const goOn = (page: Page) => panel(page).getByRole('button', { name: /^(Download|Continue,)/ });

test('a download without connection, with altered bytes, and without room', async ({ page, context }) => {
  const hub = await smallHub();
  const site = await serve(join(ROOT, 'dist'), 0, { hub: hub.url, redirects: [hub.storageUrl] });
  const browser = await context.newCDPSession(page);
  /** Bytes that the browser lets this page keep; null: as many as usual. */
  const quota = (bytes: number | null) =>
    browser.send('Storage.overrideQuotaForOrigin', { origin: new URL(site.url).origin, ...(bytes !== null && { quotaSize: bytes }) });
  try {
    const complaints = watch(page);
    await page.goto(site.url);
    await expect(page.getByTestId('device')).toHaveAttribute('data-status', 'ready');
    await page.getByRole('radio', { name: 'Hub', exact: true }).check();

    await test.step('offline, the look says so', async () => {
      await context.setOffline(true);
      await lookUp(page);
      await expect(page.locator('[data-error="HUB_CONNECTION"]')).toContainText('This device is offline', { timeout: 60_000 });
      findings.push(...(await look(page, 'hub-offline')));
      await context.setOffline(false);
      await page.getByRole('button', { name: 'Try again' }).click();
      await expect(panel(page).locator('.chosen')).toHaveText('tests/wordsmith');
    });

    await test.step('the page waits if the connection is lost in the middle', async () => {
      hub.bytesPerSecond = 100_000;
      await goOn(page).click();
      await expect.poll(() => hub.transfers(BIG).length, { timeout: 60_000 }).toBeGreaterThan(0);
      await expect(page.locator('.download-line')).toContainText(/[4-9]\d\d kB of/, { timeout: 60_000 });
      await context.setOffline(true);
      hub.cutAll();
      await expect(page.locator('[data-download="waiting"]')).toContainText(/Attempt \d of 5 in/, { timeout: 60_000 });
      findings.push(...(await look(page, 'hub-waiting')));
      await context.setOffline(false);
      await expect(page.locator('[data-download="downloading"]')).toBeVisible({ timeout: 60_000 });
    });

    await test.step('a disk that fills up ends it, and what has arrived is kept', async () => {
      await quota(1_000_000);
      // Chromium's estimate does not include it, as it does not include the disk: only a refused write shows it.
      await expect(page.locator('[data-error="STORAGE"]')).toContainText('The browser has no space for tests/wordsmith (3.6 MB).', {
        timeout: 60_000,
      });
      findings.push(...(await look(page, 'hub-disk-full')));
      await quota(null);
    });

    await test.step('altered bytes are thrown away, and named', async () => {
      hub.bytesPerSecond = Infinity;
      // The rest of a part, and then the whole file again.
      for (let i = 0; i < 2; i++) hub.faults.push({ path: BIG, fault: { kind: 'wrong' } });
      await goOn(page).click();
      await expect(page.locator('[data-error="HUB_DIGEST"]')).toContainText('it was discarded', { timeout: 60_000 });
      findings.push(...(await look(page, 'hub-altered')));
      await goOn(page).click();
      await expect(page.getByText('Training reads it from here')).toBeVisible({ timeout: 60_000 });
    });

    await test.step('offline, what is stored is used', async () => {
      await context.setOffline(true);
      await page.getByRole('button', { name: 'Use', exact: true }).click();
      await expect(page.locator(START)).toHaveText('Start LISA');
      await context.setOffline(false);
    });
    // The browser itself reports requests that fail.
    expect(complaints.filter((text) => !/Failed to load resource/.test(text))).toEqual([]);
  } finally {
    await site.close();
    await hub.close();
  }
});

test('a model’s folder is dropped on the page', async ({ page, context }) => {
  const scratch = mkdtempSync(join(tmpdir(), 'lisa-drop-'));
  try {
    const folder = join(scratch, 'my-model');
    cpSync(MODEL, folder, { recursive: true });
    const browser = await context.newCDPSession(page);
    // What the system tells the browser about dragged files: only their paths.
    const drag = (type: 'dragEnter' | 'dragOver' | 'drop') =>
      browser.send('Input.dispatchDragEvent', { type, x: 700, y: 400, data: { items: [], files: [folder], dragOperationsMask: 1 } });
    await open(page);
    await drag('dragEnter');
    await drag('dragOver');
    await expect(page.locator('.drop-target')).toBeVisible();
    await page.screenshot({ path: join(PICTURES, 'folder-over.png') });
    await drag('drop');
    await expect(page.locator('.drop-target')).toHaveCount(0);
    await expect(panel(page).locator('.chosen')).toHaveText('my-model');
    await expect(page.locator('.model-verdict .bar-row')).toHaveCount(3);
    await expect(page.locator(START)).toHaveText('Start LISA');
    findings.push(...(await look(page, 'folder-dropped')));
  } finally {
    rmSync(scratch, { recursive: true });
  }
});
