// After a run, in the browser: its files, the comparison, the history across a reload, and the recorded run.

import { expect, test, type Download, type Page } from '@playwright/test';
import AxeBuilder from '@axe-core/playwright';
import { readFile } from 'node:fs/promises';
import { open, phase, small, watch } from '../support/page';

const screen = (page: Page, name: string) => page.locator('nav.screens').getByRole('button', { name, exact: true });

async function saved(page: Page, click: () => Promise<void>): Promise<{ download: Download; text: string }> {
  const [download] = await Promise.all([page.waitForEvent('download'), click()]);
  return { download, text: await readFile(await download.path(), 'utf8') };
}

async function isAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id, nodes }) => ({ id, nodes: nodes.map((node) => node.html) }))).toEqual([]);
}

test('a run is compared, downloaded, and still there after a reload', async ({ page, context }) => {
  // A whole run, both models' answers and a second page.
  test.setTimeout(300_000);
  const complaints = watch(page);
  await open(page);
  await small(page, { steps: '4', stepsPerPeriod: '2' });
  await page.locator('[data-action="start"]').click();
  await expect(phase(page)).toHaveAttribute('data-phase', 'done', { timeout: 150_000 });

  await test.step('numbers and card', async () => {
    const jsonl = await saved(page, () => page.getByRole('button', { name: 'Metrics (JSONL)' }).click());
    const lines = jsonl.text.trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { step: number }).step)).toEqual([1, 2, 3, 4]);
    const csv = await saved(page, () => page.getByRole('button', { name: 'Metrics (CSV)' }).click());
    expect(csv.text.trimEnd().split('\r\n')).toHaveLength(6);
    const card = await saved(page, () => page.getByRole('button', { name: 'Run card (HTML)' }).click());
    const reader = await context.newPage();
    const said: string[] = [];
    reader.on('console', (message) => said.push(message.text()));
    await reader.setViewportSize({ width: 360, height: 740 });
    await reader.setContent(card.text);
    await expect(reader.locator('h2')).toHaveText([
      'Loss',
      'Trained layers',
      'Memory on the GPU',
      'Samples',
      'Settings',
      'Model, data and device',
    ]);
    expect(await reader.evaluate(() => [document.scripts.length, document.documentElement.scrollWidth])).toEqual([0, 360]);
    expect(said).toEqual([]);
    await reader.close();
  });

  await test.step('GGUF of the chosen type', async () => {
    await page.getByRole('radio', { name: 'Q8_0' }).check();
    const { download, text } = await saved(page, () => page.getByRole('button', { name: 'Download as GGUF' }).click());
    expect(download.suggestedFilename()).toBe('wordsmith-2m-lisa-step4-q8_0.gguf');
    expect(text.slice(0, 4)).toBe('GGUF');
    await isAccessible(page);
  });

  await test.step('base and tuned model answer the same prompt; blind, a vote names them', async () => {
    await screen(page, 'Compare').click();
    await page.getByRole('switch', { name: /Blind/ }).check();
    await page.locator('#compare-maxTokens').fill('8');
    await page.locator('.quick-prompts button').first().click();
    await expect(page.locator('[data-answer="done"]')).toHaveCount(2, { timeout: 60_000 });
    await expect(page.locator('.answer h3')).toHaveText([/^Left/, /^Right/]);
    await page.getByRole('button', { name: 'Left', exact: true }).click();
    await expect(page.locator('.answer h3').first()).toHaveText(/^(Base|Tuned) model/);
    await expect(page.getByText(/^Left was the (base|tuned) model\. 1 vote/)).toBeVisible();
    await isAccessible(page);
  });

  await test.step('renamed, deleted, put back, exported and imported', async () => {
    await screen(page, 'History').click();
    const runs = page.locator('.past');
    await expect(runs).toHaveCount(1);
    await expect(runs.locator('.tag')).toHaveText('Done');
    const name = page.getByRole('textbox', { name: 'Name of the run' });
    await name.fill('Mine');
    await name.press('Enter');
    await page.getByRole('button', { name: 'Delete Mine' }).click();
    await expect(runs).toHaveCount(0);
    await page.getByRole('button', { name: 'Undo' }).click();
    await expect(runs).toHaveCount(1);
    const file = await saved(page, () => page.getByRole('button', { name: 'Export Mine' }).click());
    await page
      .locator('.past-tools input[type=file]')
      .setInputFiles({ name: 'run.json', mimeType: 'application/json', buffer: Buffer.from(file.text) });
    await expect(runs).toHaveCount(2);
    await isAccessible(page);
  });

  await test.step('a new page has the history, and shows a past run with the same panels', async () => {
    await page.reload();
    await expect(page.getByTestId('device')).toHaveAttribute('data-status', 'ready');
    await screen(page, 'History').click();
    await expect(page.locator('.past')).toHaveCount(2);
    await expect(page.locator('.overlay-plot .series')).toHaveCount(2);
    await page.getByRole('button', { name: 'Open Mine' }).first().click();
    await expect(page.locator('.raster-plot')).toBeVisible();
    await expect(page.locator('[data-bar="Peak"]')).toHaveCount(1);
    await expect(page.getByRole('button', { name: 'Download the tuned model' })).toHaveCount(0);
    await isAccessible(page);
  });
  expect(complaints).toEqual([]);
});

test('the recorded run plays, can be moved through, and is not a run of this page', async ({ page }) => {
  const complaints = watch(page);
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await open(page);
  await screen(page, 'Recorded run').click();
  await expect(page.getByText(/^A recorded run from another machine: .*20\d\d/)).toBeVisible();
  // With reduced motion nothing moves by itself: the page shows the end of the recording.
  await expect(page.locator('.replay-words')).toHaveText(/step 60 of 60$/);
  await expect(page.getByRole('button', { name: 'Play', exact: true })).toBeVisible();
  const time = page.getByRole('slider', { name: 'Time in the recording' });
  await time.fill('0');
  await expect(page.locator('.replay-words')).toHaveText(/step 0 of 60$/);
  await page.getByRole('button', { name: 'Play', exact: true }).click();
  await expect(page.locator('.replay-words')).toHaveText(/step [1-9]\d* of 60$/);
  await page.getByRole('button', { name: 'Pause', exact: true }).click();
  await isAccessible(page);
  await expect(screen(page, 'Run')).toHaveCount(0);
  for (const width of [360, 640, 1600]) {
    await page.setViewportSize({ width, height: 800 });
    // Charts follow a resize in the frames after it.
    await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
  }
  expect(complaints).toEqual([]);
});
