// What leads a newcomer: the guided tour, sample files, importance painted by hand.

import { readFile } from 'node:fs/promises';
import { expect, test } from '@playwright/test';
import { open, watch } from '../support/page';

test('the tour leads through five steps by keyboard, can be skipped, and leaves the page usable', async ({ page }) => {
  const complaints = watch(page);
  await open(page);
  const tour = page.getByRole('region', { name: 'Guided tour' });
  await page.getByRole('button', { name: /Take the tour/ }).click();
  for (let step = 1; step <= 5; step++) {
    await expect(tour).toContainText(`Step ${step} of 5`);
    await expect(tour.getByRole('heading')).toBeFocused();
    await expect(page.locator('[data-toured]')).toBeInViewport();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
  }
  await expect(tour).toHaveCount(0);
  await expect(page.locator('[data-toured]')).toHaveCount(0);
  await page.getByRole('button', { name: 'Guided tour' }).click();
  await expect(tour).toContainText('Step 1 of 5');
  await page.locator('#field-steps').fill('30');
  await page.keyboard.press('Escape');
  await expect(tour).toHaveCount(0);
  await expect(page.locator('#field-steps')).toHaveValue('30');
  expect(complaints).toEqual([]);
});

test('each sample file comes back as the rows that it was made from', async ({ page }) => {
  await open(page);
  await page.getByRole('group', { name: 'Data' }).getByRole('radio', { name: 'File' }).check();
  for (const format of ['JSONL', 'JSON', 'CSV', 'TSV', 'Parquet']) {
    const saved = page.waitForEvent('download');
    await page.getByRole('button', { name: `Download a sample ${format} file`, exact: true }).click();
    const download = await saved;
    const buffer = await readFile(await download.path());
    await page.locator('input#field-data').setInputFiles({ name: download.suggestedFilename(), mimeType: '', buffer });
    // One of the six is held out.
    await expect(page.locator('.data-line')).toContainText('5 rows');
    await page.reload();
    await page.getByRole('group', { name: 'Data' }).getByRole('radio', { name: 'File' }).check();
  }
});

test('importance is painted with a pointer and with keys, and goes into the link', async ({ page }) => {
  await open(page);
  await page.getByRole('button', { name: 'Set by hand' }).click();
  const bars = page.locator('.painter input');
  await expect(bars).toHaveCount(8);
  const painter = page.locator('.painter');
  await painter.scrollIntoViewIfNeeded();
  const at = await painter.boundingBox();
  if (!at) throw new Error('There is nothing to paint on.');
  await page.mouse.move(at.x + at.width - 60, at.y + 4);
  await page.mouse.down();
  await page.mouse.move(at.x + at.width - 60, at.y + at.height - 4, { steps: 30 });
  await page.mouse.up();
  const painted = await bars.evaluateAll((all) => all.map((bar) => Number((bar as HTMLInputElement).value)));
  expect(Math.min(...painted)).toBeGreaterThan(5);
  await bars.first().focus();
  await page.keyboard.press('Home');
  await expect(bars.first()).toHaveValue('0');
  await expect(page).toHaveURL(/lisaSampler=weighted&lisaWeights=[\d,]*,0$/);
  await page.getByRole('button', { name: 'Draw all equally' }).click();
  await expect(page).not.toHaveURL(/lisaWeights/);
});
