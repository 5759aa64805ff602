// A hub's model, from its name to its deletion, against a small hub on loopback: looked up, refused, downloaded with a
// cut, a pause and a reload, trained on from the cache, deleted.

import { expect, test, type Page } from '@playwright/test';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { serve } from '../../scripts/serve.mjs';
import { HubServer } from '../../src/testing/hub-server';
import { phase, small, watch } from '../support/page';
import { look, PICTURES, type Finding } from './pictures';

const ROOT = join(import.meta.dirname, '../..');
const MODEL = join(ROOT, 'public/models/wordsmith-2m');
const TOKEN = 'hf_tourTokenThatNobodyElseHas0000';

const findings: Finding[] = [];
test.afterAll(() => {
  console.log(`\nFindings: ${findings.length}`);
  for (const { screen, rule, impact, where } of findings) console.log(`  ${screen}: ${rule} (${impact}) ${where}`);
});

async function smallHub(): Promise<HubServer> {
  const hub = await new HubServer().start();
  const files = new Map(readdirSync(MODEL).map((name) => [name, new Uint8Array(readFileSync(join(MODEL, name)))]));
  hub.repos.set('tests/wordsmith', { commit: 'a'.repeat(40), files });
  hub.repos.set('tests/gated', { commit: 'b'.repeat(40), files, gated: true });
  const strange = new Map(files).set('config.json', new TextEncoder().encode('{"model_type":"mamba"}'));
  hub.repos.set('tests/mamba', { commit: 'c'.repeat(40), files: strange });
  hub.tokens.add(TOKEN);
  return hub;
}

async function lookUp(page: Page, name: string): Promise<void> {
  await page.getByLabel('Model on the Hub').fill(name);
  await page.getByRole('button', { name: 'Look up', exact: true }).first().click();
}

/** First byte of every request for the weights. */
const starts = (hub: HubServer): number[] =>
  hub.transfers('model.safetensors').flatMap(({ range }) => (range ? [Number(/=(\d+)-/.exec(range)?.[1])] : []));

/** A state that does not last long enough for a picture from all sides. */
const snap = (page: Page, name: string): Promise<Buffer> => page.screenshot({ path: join(PICTURES, `${name}.png`) });

const START = '[data-action="start"]';
const ready = (page: Page) => expect(page.getByTestId('device')).toHaveAttribute('data-status', 'ready');

test('looked up, downloaded over a cut and a reload, trained on, deleted', async ({ page }) => {
  const hub = await smallHub();
  const site = await serve(join(ROOT, 'dist'), 0, { hub: hub.url, redirects: [hub.storageUrl] });
  try {
    const complaints = watch(page);
    await page.goto(site.url);
    await ready(page);
    await page.getByRole('radio', { name: 'Hub', exact: true }).check();
    await expect(page.locator(START)).toHaveText('Look up a model first');
    await snap(page, 'hub-empty');

    await test.step('what is refused says why', async () => {
      await lookUp(page, 'tests/nothing');
      await expect(page.locator('[data-family="hub"]')).toBeVisible();
      await snap(page, 'hub-not-found');
      await lookUp(page, 'tests/mamba');
      await expect(page.locator('[data-error="MODEL_UNSUPPORTED"]')).toContainText('mamba');
      await lookUp(page, TOKEN);
      await expect(page.locator('[data-error="HUB_NAME"]')).toContainText('token');
      expect(hub.seen.some(({ path }) => path.includes(TOKEN))).toBe(false);
      await lookUp(page, 'tests/gated');
      await expect(page.locator('[data-error="HUB_GATED"]')).toBeVisible();
      await page.getByRole('button', { name: 'Enter a token' }).click();
      const token = page.getByLabel('Token, for gated and private models');
      await token.fill('hf_wrong');
      await token.press('Enter');
      await page.getByRole('button', { name: 'Try again' }).click();
      await expect(page.locator('[data-error="HUB_GATED"]')).toBeVisible();
      findings.push(...(await look(page, 'hub-wrong-token')));
      await token.fill(TOKEN);
      await token.press('Enter');
      await page.getByRole('button', { name: 'Try again' }).click();
      await expect(page.locator('#model-panel .chosen')).toHaveText('tests/gated');
      // The token went to the hub and to nobody else; the page neither shows nor keeps it.
      expect(hub.seen.filter(({ authorization }) => authorization?.includes(TOKEN)).every(({ origin }) => origin === 'hub')).toBe(true);
      expect(await page.evaluate(() => location.href + JSON.stringify(localStorage) + document.documentElement.outerHTML)).not.toContain(
        TOKEN,
      );
      await page.getByRole('button', { name: 'Forget token' }).click();
    });

    await test.step('the verdict comes before the weights', async () => {
      hub.seen.length = 0;
      await lookUp(page, 'tests/wordsmith');
      await expect(page.locator('.model-verdict .bar-row')).toHaveCount(3);
      await expect(page.locator(START)).toHaveText('Download the model first');
      const ranges = hub.transfers('model.safetensors').filter(({ origin }) => origin === 'storage');
      expect(ranges.length).toBeGreaterThan(0);
      expect(ranges.every(({ range }) => range !== null && Number(/-(\d+)$/.exec(range)?.[1] ?? Infinity) < 100_000)).toBe(true);
      findings.push(...(await look(page, 'hub-verdict')));
    });

    await test.step('downloaded over a cut, a pause and a reload', async () => {
      hub.bytesPerSecond = 40_000;
      hub.faults.push({ path: 'model.safetensors', fault: { kind: 'cut', after: 100_000 } });
      await page
        .locator('.panel')
        .getByRole('button', { name: /^Download / })
        .click();
      // After the cut it continues by itself from where it was.
      await expect.poll(() => starts(hub).some((start) => start > 50_000), { timeout: 60_000 }).toBe(true);
      await expect(page.locator('[data-download="downloading"]')).toContainText(/\d kB of 3\.\d+ MB.*B\/s · .* left/);
      findings.push(...(await look(page, 'hub-downloading')));
      await page.getByRole('button', { name: 'Pause', exact: true }).click();
      await expect(page.locator('.download-phase').getByText('Paused. The partial download is kept')).toBeVisible();
      await snap(page, 'hub-paused');
      await page.reload();
      await ready(page);
      expect(new URL(page.url()).hash).toContain('hub=tests/wordsmith');
      await expect(page.locator('[data-stored="tests/wordsmith"]')).toContainText('unfinished');
      await page.getByRole('radio', { name: 'Built-in' }).first().check();
      await expect(page.getByRole('region', { name: 'Unfinished download' })).toBeVisible();
      await snap(page, 'hub-unfinished');
      hub.seen.length = 0;
      await page.getByRole('button', { name: 'Continue download' }).click();
      await expect(page.locator('[data-download="downloading"]')).toBeVisible();
      hub.bytesPerSecond = Infinity;
      await expect(page.getByText('Training reads it from here')).toBeVisible({ timeout: 60_000 });
      // What had arrived was not sent again.
      expect(Math.max(...starts(hub))).toBeGreaterThan(100_000);
      findings.push(...(await look(page, 'hub-done')));
    });

    await test.step('trained on from the cache', async () => {
      hub.seen.length = 0;
      await small(page, { steps: '2', stepsPerPeriod: '1' });
      await page.locator(START).click();
      await expect(phase(page)).toHaveAttribute('data-phase', 'done', { timeout: 200_000 });
      expect(hub.seen).toEqual([]);
    });

    await test.step('deleted, after a confirmation', async () => {
      await page.getByRole('button', { name: 'New run' }).click();
      await page.getByRole('button', { name: 'Use', exact: true }).click();
      await expect(page.locator(START)).toHaveText('Start LISA');
      await page.getByRole('button', { name: 'Delete tests/wordsmith' }).click();
      // The run that has ended can still be compared with its base; the page warns that this will no longer work.
      await expect(page.locator('[data-stored]')).toContainText('The run that has ended also needs it');
      await snap(page, 'hub-delete-question');
      await page.getByRole('button', { name: 'Delete for good' }).click();
      await expect(page.locator('[data-stored]')).toHaveCount(0);
      await expect(page.locator('[data-action="showRun"]')).toHaveCount(0);
      await expect(page.getByText('None yet.')).toBeVisible();
      await expect(page.locator(START)).toHaveText('Download the model first');
      await snap(page, 'hub-deleted');
    });
    // The browser itself reports answers of 4xx and the cut.
    expect(complaints.filter((text) => !/Failed to load resource/.test(text))).toEqual([]);
  } finally {
    await site.close();
    await hub.close();
  }
});
