// `npm run tour -- docs-pictures`: takes the pictures of README.md and docs/ again, of the page's own model and of public ones. Nothing in them
// is a test fixture.

import { join } from 'node:path';
import { expect, test, type Page } from '@playwright/test';
import { open, phase } from '../support/page';

const DOCS = join(import.meta.dirname, '../../docs');
const picture = (name: string): string => join(DOCS, `${name}.png`);

const atStep = async (page: Page, least: number): Promise<void> =>
  expect
    .poll(async () => Number(/step (\d+)/.exec((await page.locator('.step-count').textContent()) ?? '')?.[1]), { timeout: 600_000 })
    .toBeGreaterThanOrEqual(least);

test.use({ viewport: { width: 1440, height: 900 } });

test('a model of the Hub, before it is looked up', async ({ page }) => {
  await page.goto('/?model=HuggingFaceTB/SmolLM2-135M');
  await expect(page.locator('[data-action="start"]')).toHaveText('Look up a model first');
  await expect(page.locator('.larger-model .bar-row[data-bar]')).toHaveCount(9);
  await page.screenshot({ path: picture('models') });
});

test('a run, and what it offers at its end', async ({ page }) => {
  await open(page);
  await page.locator('[data-action="start"]').first().click();
  await atStep(page, 80);
  await page.screenshot({ path: picture('screenshot') });
  await expect(phase(page)).toHaveAttribute('data-phase', 'done', { timeout: 600_000 });
  const downloads = page.getByRole('region', { name: 'Downloads' });
  await expect(downloads).toBeVisible();
  await downloads.screenshot({ path: picture('export') });
});
