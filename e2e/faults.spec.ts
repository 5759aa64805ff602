// What can go wrong while training, injected from outside: each fault gets its card, which says what happened, what is
// safe and what to do, and the page can go on afterwards.

import { expect, test } from '@playwright/test';
import { open, phase, small } from './support/page';
import { loseDevice, setFault, withFaults } from './support/faults';

test.beforeEach(async ({ page }) => {
  await withFaults(page);
  await open(page);
});

test('a lost device: the saved step is named, another device opens, and the run resumes from there', async ({ page }) => {
  await small(page, { steps: '1000', saveEvery: '2' });
  await page.getByRole('button', { name: 'Start LISA', exact: true }).click();
  await expect(page.locator('.step-count')).toHaveText(/step ([3-9]|\d\d+) of/, { timeout: 150_000 });
  await loseDevice(page);
  const card = page.locator('[data-error="DEVICE_LOST"]').first();
  await expect(card).toContainText('the GPU was reset');
  await expect(card).toContainText(/Steps? 1( to \d+)? (is|are) saved|All \d+ steps are saved/);
  await expect(phase(page)).toHaveAttribute('data-phase', 'failed');

  await card.getByRole('button', { name: /Open the GPU again/ }).click();
  await expect(page.getByTestId('device')).toHaveAttribute('data-status', 'ready');
  await page.getByRole('button', { name: /Resume from step/ }).click();
  await expect(phase(page)).toHaveAttribute('data-phase', 'training', { timeout: 90_000 });
});

test('no memory: the card names the buffer, and one click makes the run smaller', async ({ page }) => {
  await setFault(page, { noMemoryFor: 'slot.1.m' });
  await small(page, { batchSize: '4' });
  await page.getByRole('button', { name: 'Start LISA', exact: true }).click();
  const card = page.locator('[data-error="GPU_OOM"]');
  await expect(card).toContainText('slot.1.m');
  await expect(card).toContainText('nothing is lost');
  await card.getByRole('button', { name: /Half the batch: 2/ }).click();
  await expect(page.locator('#field-batchSize')).toHaveValue('2');
});

test('numbers that leave the range end the run with its last good step, and suggest a lower rate', async ({ page }) => {
  // A step then multiplies every matrix by 1 − 10 · 10, which soon overflows any float.
  await small(page, { steps: '50', lr: '10', weightDecay: '10' });
  await page.getByRole('button', { name: 'Start LISA', exact: true }).click();
  const card = page.locator('[data-error="NONFINITE_LOSS"]');
  await expect(card).toBeVisible({ timeout: 150_000 });
  await card.getByRole('button', { name: /Learning rate ÷ 3: 3\.33/ }).click();
  await expect(page.locator('#field-lr')).toHaveValue('3.33');
});

test('a full disk pauses the run and loses nothing', async ({ page }) => {
  await setFault(page, { storageFull: true });
  await small(page, { steps: '1000', saveEvery: '2' });
  await page.getByRole('button', { name: 'Start LISA', exact: true }).click();
  const card = page.locator('[data-error="STORAGE"]');
  await expect(card).toBeVisible({ timeout: 90_000 });
  await expect(phase(page)).toHaveAttribute('data-phase', 'paused');
  await setFault(page, { storageFull: false });
  await card.getByRole('button', { name: /again/i }).click();
  await expect(page.locator('.step-count')).toHaveText(/step ([4-9]|\d\d+) of/, { timeout: 150_000 });
});
