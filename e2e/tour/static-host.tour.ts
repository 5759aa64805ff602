// The built page on a plain server: a subfolder, no headers, and then no server at all.

import { expect, test } from '@playwright/test';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { phase, small, watch } from '../support/page';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.webmanifest': 'application/manifest+json',
};
const FOLDER = '/x/y/';

let server: Server;
let url = '';
test.beforeAll(async () => {
  server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const file = pathname.startsWith(FOLDER) ? pathname.slice(FOLDER.length) || 'index.html' : '';
    readFile(path.join('dist', file)).then(
      (bytes) => response.writeHead(200, { 'Content-Type': TYPES[path.extname(file)] ?? 'application/octet-stream' }).end(bytes),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A name of its own: on localhost itself the page goes without a service worker.
  url = `http://studio.localhost:${(server.address() as AddressInfo).port}${FOLDER}`;
});
test.afterAll(() => void server.close());

test('a link of a model card fills the form; then the page trains without a network', async ({ page }) => {
  const complaints = watch(page);
  const asked: string[] = [];
  page.on('request', (request) => /^https?:/.test(request.url()) && !request.url().startsWith(url) && asked.push(request.url()));
  await page.goto(`${url}?model=HuggingFaceTB/SmolLM2-135M&dataset=devils-dictionary`);
  await expect(page.locator('[data-action="start"]')).toHaveText('Look up a model first');
  await expect(page.locator('select#field-data')).toHaveValue('devils-dictionary');
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await new Promise((resolve) => server.close(resolve));
  await page.goto(url);
  await expect(page.getByTestId('device')).toHaveAttribute('data-status', 'ready');
  await small(page, { steps: '4', stepsPerPeriod: '2' });
  await page.getByRole('button', { name: 'Start LISA', exact: true }).click();
  await expect(phase(page)).toHaveAttribute('data-phase', 'done', { timeout: 150_000 });
  await page.reload();
  await expect(page.locator('[data-stored="yes"]')).toBeVisible();
  expect(asked).toEqual([]);
  expect(complaints).toEqual([]);
});
