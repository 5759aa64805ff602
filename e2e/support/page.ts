// What the browser tests share: open the page, make a run small, watch for errors.

import { expect, type Locator, type Page } from '@playwright/test';

/** Collects what the browser complains about: exceptions, refused scripts and styles, missing files. */
export function watch(page: Page): string[] {
  const complaints: string[] = [];
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  return complaints;
}

export async function open(page: Page, hash = ''): Promise<void> {
  await page.goto(`/${hash}`);
  await expect(page.getByTestId('device')).toHaveAttribute('data-status', 'ready');
}

/** What a test that looks at something else should not wait for: few held-out rows, short samples. */
const BRIEF = { batchSize: '2', seqLen: '32', evalSplit: '0.002', sampleTokens: '4' };

/** A run that a software GPU finishes in seconds. */
export async function small(page: Page, settings: Readonly<Record<string, string>>): Promise<void> {
  await page.getByRole('radio', { name: 'Advanced' }).check();
  for (const [key, value] of Object.entries({ ...BRIEF, ...settings })) await page.locator(`#field-${key}`).fill(value);
}

export const phase = (page: Page): Locator => page.locator('[data-phase]');

/** Bytes of a memory bar. */
export const total = async (page: Page, bar: string): Promise<number> =>
  Number(await page.locator(`[data-bar="${bar}"]`).first().getAttribute('data-total'));
