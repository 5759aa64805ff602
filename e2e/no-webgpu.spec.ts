// A browser without a GPU for WebGPU (Chromium with its default flags on a server), as on many phones: the page plays the recorded run
// at once and says what to do, and the set-up still shows its forecasts.

import { expect, test } from '@playwright/test';
import { findChromium } from '../scripts/chromium.mjs';

test.use({
  launchOptions: {
    executablePath: findChromium() ?? undefined,
    args: ['--headless=new', ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])],
  },
});

test('without WebGPU, the recorded run plays, and the page names the step that helps', async ({ page }) => {
  await page.goto('/');
  const notice = page.locator('.replay-notice');
  await expect(notice).toContainText(process.platform === 'linux' ? 'chrome://flags/#enable-unsafe-webgpu' : 'graphics acceleration');
  await expect(page.locator('.replay-words')).toHaveText(/step [1-9]\d* of/);
  await notice.getByRole('button', { name: 'Look at the set-up' }).click();
  const card = page.locator('[data-family="no-gpu"]');
  await expect(card).toBeVisible();
  await expect(card.getByRole('heading')).toHaveText(/No GPU to train on|This browser has no WebGPU/);
  await expect(card).toContainText(process.platform === 'linux' ? 'chrome://flags/#enable-unsafe-webgpu' : 'graphics acceleration');
  await expect(page.getByTestId('device')).toHaveText(/No GPU/);
  await expect(page.locator('[data-action="start"]')).toHaveText('No GPU to train on');
  await expect(page.locator('[data-action="start"]')).toBeDisabled();
  await expect(page.locator('.bar-row[data-bar]')).toHaveCount(12);
});
