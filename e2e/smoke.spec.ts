// The built page opens: nothing is refused by the security policy, nothing fails, nothing leaves the machine.

import { expect, test } from '@playwright/test';

test('the page opens without an error and without asking another machine', async ({ page, baseURL }) => {
  const trouble: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') trouble.push(message.text());
  });
  page.on('pageerror', (error) => trouble.push(String(error)));
  page.on('requestfailed', (request) => trouble.push(`failed: ${request.url()}`));
  page.on('request', (request) => {
    if (/^https?:/.test(request.url()) && !request.url().startsWith(String(baseURL))) trouble.push(`asked: ${request.url()}`);
  });

  await page.goto('/');
  await expect(page).toHaveTitle(/LISA Studio/);
  await expect(page.locator('#root')).not.toBeEmpty();
  await expect(page.getByRole('heading').first()).toBeVisible();
  // Isolated, so that timers are precise and no other site shares the process.
  expect(await page.evaluate(() => [crossOriginIsolated, isSecureContext, 'gpu' in navigator])).toEqual([true, true, true]);
  await page.waitForLoadState('networkidle');
  expect(trouble).toEqual([]);
});
