// The tour itself. Findings are collected and printed at the end, so that one of them does not hide the next.

import { expect, test } from '@playwright/test';
import { firstPaint } from '../../scripts/first-paint.mjs';
import { loseDevice, setFault, withFaults } from '../support/faults';
import { open, phase, small, watch } from '../support/page';
import { takeLongTasks, watchLongTasks } from './long-tasks';
import { look, PICTURES, type Finding } from './pictures';

const findings: Finding[] = [];
const figures: string[] = [];

test.afterAll(() => {
  console.log(`\nPictures: ${PICTURES}`);
  console.log(`\nFindings: ${findings.length}`);
  for (const { screen, rule, impact, where } of findings) console.log(`  ${screen}: ${rule} (${impact}) ${where}`);
  console.log('\nFigures');
  for (const line of figures) console.log(`  ${line}`);
});

test('a newcomer: open, start, done, keep', async ({ page }) => {
  const complaints = watch(page);
  const began = Date.now();
  const seconds = (): string => `${((Date.now() - began) / 1000).toFixed(0)} s`;
  await open(page);
  figures.push(`newcomer: page ready after ${seconds()}`);
  findings.push(...(await look(page, 'setup')));
  const looked = Date.now();
  await page.getByRole('radio', { name: 'Quick look' }).check();
  await page.locator('[data-action="start"]').first().click();
  await expect(page.locator('.step-count')).toHaveText(/step [1-9]/, { timeout: 120_000 });
  figures.push(`newcomer: first step ${((Date.now() - looked) / 1000).toFixed(0)} s after choosing Quick look (software adapter)`);
  findings.push(...(await look(page, 'running')));
  await expect(phase(page)).toHaveAttribute('data-phase', 'done', { timeout: 400_000 });
  const saved = page.waitForEvent('download');
  await page.locator('[data-action="download"]').first().click();
  await saved;
  figures.push(`newcomer: tuned model on disk ${((Date.now() - looked) / 1000).toFixed(0)} s after choosing Quick look (software adapter)`);
  findings.push(...(await look(page, 'done')));

  for (const [name, screen] of [
    ['Compare', 'compare'],
    ['History', 'history'],
  ] as const) {
    await page.getByRole('navigation').getByRole('button', { name }).click();
    await page.waitForTimeout(500);
    findings.push(...(await look(page, screen)));
  }
  expect(complaints).toEqual([]);
});

test('long tasks while training for a minute', async ({ page }) => {
  await watchLongTasks(page);
  await open(page);
  await small(page, { steps: '100000', evalEvery: '0', saveEvery: '0' });
  await page.locator('[data-action="start"]').first().click();
  await expect(page.locator('.step-count')).toHaveText(/step [1-9]/, { timeout: 120_000 });
  const before = await takeLongTasks(page);
  await page.waitForTimeout(60_000);
  const during = await takeLongTasks(page);
  const list = (tasks: number[]): string =>
    tasks
      .slice(0, 5)
      .map((ms) => `${ms.toFixed(0)} ms`)
      .join(', ') || 'none';
  figures.push(`long tasks before the first step: ${list(before)}`);
  figures.push(`long tasks in 60 s of training (two cores shared with the software GPU): ${during.length}; ${list(during)}`);
});

test('faults', async ({ page }) => {
  await withFaults(page);
  await open(page);
  await setFault(page, { noMemoryFor: 'slot.1.m' });
  await small(page, { batchSize: '4' });
  await page.locator('[data-action="start"]').first().click();
  await expect(page.locator('[data-error="GPU_OOM"]')).toBeVisible();
  findings.push(...(await look(page, 'out-of-memory')));
  await page.reload();
  await expect(page.getByTestId('device')).toHaveAttribute('data-status', 'ready');
  await small(page, { steps: '1000', saveEvery: '2' });
  await page.locator('[data-action="start"]').first().click();
  await expect(page.locator('.step-count')).toHaveText(/step [3-9]/, { timeout: 120_000 });
  await loseDevice(page);
  await expect(page.locator('[data-error="DEVICE_LOST"]').first()).toBeVisible();
  findings.push(...(await look(page, 'device-lost')));
});

test('the first paint', () => {
  const { files, total, limit } = firstPaint();
  figures.push(`scripts of the first paint: ${(total / 1000).toFixed(1)} kB gzipped in ${files.size} files (limit ${limit / 1000} kB)`);
  expect(total).toBeLessThanOrEqual(limit);
});
