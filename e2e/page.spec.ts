// The page as a person uses it: built, served, in a real Chromium with a real (software) GPU.

import { expect, test, type Page } from '@playwright/test';
import AxeBuilder from '@axe-core/playwright';
import { readFile } from 'node:fs/promises';
import { open, phase, small, total, watch } from './support/page';

test('one click trains with LISA and shows what it did', async ({ page }) => {
  const complaints = watch(page);
  await open(page);
  await expect(page.getByTestId('device')).toContainText(/swiftshader/i);

  await test.step('the memory of each method is there before the start', async () => {
    // The built-in model and three larger ones, three methods each.
    await expect(page.locator('.bar-row[data-bar]')).toHaveCount(12);
    expect(await total(page, 'LISA')).toBeGreaterThan(0);
    expect(await total(page, 'LISA')).toBeLessThan(await total(page, 'Full'));
    await expect(page.locator('.segment.measured:not(.swatch)')).toHaveCount(0);
  });

  await small(page, { steps: '6', stepsPerPeriod: '2' });
  await page.getByRole('button', { name: 'Start LISA', exact: true }).click();
  await expect(phase(page)).toHaveAttribute('data-phase', 'done', { timeout: 150_000 });

  await test.step('loss, raster and samples', async () => {
    await expect(page.locator('.loss-chart [data-points]')).toHaveAttribute(
      'aria-label',
      /at step 1.* at step 6\. Evaluation: .*step 0.*step 6/,
    );
    await expect(page.locator('.raster-plot')).toHaveAttribute('aria-label', /3 of 3 periods over 6 steps, step 6/);
    expect(await inkOf(page)).toBeGreaterThan(1000);
    await page.getByText('Periods as a table').click();
    await expect(page.locator('.raster tbody tr')).toHaveCount(3);
    await expect(page.locator('.raster tbody tr td:last-child')).toHaveText(['trained', 'trained', 'trained']);
    await expect(page.locator('[data-sample="before"]').first()).not.toHaveText(/^Before$/);
    await expect(page.locator('[data-sample="after"]').first()).toContainText('After step 6');
  });

  await test.step('measured memory is on the same scale as the forecast, and equal to it', async () => {
    const peak = await total(page, 'Peak');
    expect(peak).toBe(await total(page, 'LISA'));
    expect(peak).toBeLessThan(await total(page, 'Full'));
    await expect(page.locator('.receipt')).toContainText(/^Peak .* measured; full fine-tuning would need .* \(forecast\): \d+ % less\.$/);
  });

  await test.step('the tuned model can be saved', async () => {
    const saved = page.waitForEvent('download');
    await page.locator('[data-action="download"]').first().click();
    const file = await saved;
    expect(file.suggestedFilename()).toBe('wordsmith-2m-lisa-step6.zip');
    const bytes = await readFile(await file.path());
    for (const name of ['model.safetensors', 'config.json', 'tokenizer.json']) expect(bytes.includes(name)).toBe(true);
  });
  expect(complaints).toEqual([]);
});

/** Pixels of the raster's canvas that something was drawn on. */
const inkOf = (page: Page): Promise<number> =>
  page.locator('.raster-plot canvas').evaluate((element) => {
    const canvas = element as HTMLCanvasElement;
    const data = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
    let drawn = 0;
    for (let i = 3; i < data.length; i += 4) if (data[i] !== 0) drawn++;
    return drawn;
  });

test('a run can be started paused, stepped, continued, paused and stopped', async ({ page }) => {
  const complaints = watch(page);
  await open(page);
  await small(page, { steps: '1000' });
  await page.getByRole('button', { name: 'Start paused' }).click();
  await expect(phase(page)).toHaveAttribute('data-phase', 'paused', { timeout: 90_000 });
  await expect(page.locator('.step-count')).toHaveText('step 0 of 1,000');

  await page.getByRole('button', { name: 'Step', exact: true }).click();
  await expect(page.locator('.step-count')).toHaveText('step 1 of 1,000');
  await expect(phase(page)).toHaveAttribute('data-phase', 'paused');
  await page.locator('h1').click();
  await page.keyboard.press('s');
  await expect(page.locator('.step-count')).toHaveText('step 2 of 1,000');
  await expect(phase(page)).toHaveAttribute('data-phase', 'paused');

  await page.keyboard.press('Space');
  await expect(phase(page)).toHaveAttribute('data-phase', 'training');
  await expect(page.locator('.step-count')).toHaveText(/step ([4-9]|\d\d+) of/);
  await expect(page.locator('[data-bar="Now"]')).toHaveCount(1);
  await page.getByRole('button', { name: 'Pause' }).click();
  await expect(phase(page)).toHaveAttribute('data-phase', 'paused');
  const held = await page.locator('.step-count').textContent();

  await page.getByRole('button', { name: 'Stop' }).click();
  await page.getByRole('button', { name: 'Stop and keep' }).click();
  await expect(phase(page)).toHaveAttribute('data-phase', 'done', { timeout: 90_000 });
  await expect(phase(page)).toContainText('Stopped');
  await expect(page.locator('.step-count')).toHaveText(held ?? '');
  await expect(page.locator('[data-action="download"]').first()).toBeEnabled();
  await expect(page).toHaveTitle(/^Stopped/);
  expect(complaints).toEqual([]);
});

test('a bad data file is reported with its row before the start, and the page offers a way on', async ({ page }) => {
  await open(page);
  await page.getByRole('group', { name: 'Data' }).getByRole('radio', { name: 'File' }).check();
  await expect(page.locator('[data-action="start"]')).toHaveText('Choose a data file');
  await page.locator('#field-data').setInputFiles({
    name: 'broken.jsonl',
    mimeType: 'application/jsonl',
    buffer: Buffer.from('{"text": "one good row of text"}\n{"text": \n'),
  });
  const start = page.locator('[data-action="start"]');
  await expect(page.getByText('broken.jsonl, row 2').first()).toBeVisible();
  await expect(start).toHaveText('Fix the data');

  await page.getByRole('radio', { name: 'Advanced' }).check();
  await page.locator('#field-badRows').selectOption('skip');
  await expect(start).toHaveText('Start LISA');
});

test('the set-up is accessible, light and dark, and nothing is cut off on a narrow screen', async ({ page }) => {
  // A busy machine measures charts late: here, from some moment on, not at all.
  await page.addInitScript(() => {
    const Measured = ResizeObserver;
    window.ResizeObserver = class extends Measured {
      constructor(told: ResizeObserverCallback) {
        super((...what) => document.documentElement.dataset.late || told(...what));
      }
    };
  });
  await open(page);
  await page.getByRole('radio', { name: 'Advanced' }).check();
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    const axe = new AxeBuilder({ page });
    // Only colours differ in the dark.
    const { violations } = await (colorScheme === 'light' ? axe : axe.withRules('color-contrast')).analyze();
    expect(
      violations.map(({ id, nodes }) => ({ id, nodes: nodes.map((node) => node.html) })),
      colorScheme,
    ).toEqual([]);
  }
  await page.evaluate(() => (document.documentElement.dataset.late = 'yes'));
  await page.setViewportSize({ width: 360, height: 740 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
});
