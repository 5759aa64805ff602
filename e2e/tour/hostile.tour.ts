// Strangers' files in the page: a tokenizer and templates that never end, a table of a million columns, a row of 200,000 messages. Each ends in
// an error by name or in rows; a cancel is heard at once, and what is asked next does not wait. Prints how long each took.

import { expect, test, type Page } from '@playwright/test';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open, small } from '../support/page';

const BUILTIN = join(import.meta.dirname, '../../public/models/wordsmith-2m');
const folder = mkdtempSync(join(tmpdir(), 'lisa-hostile-'));
test.afterAll(() => rmSync(folder, { recursive: true }));

type Json = Record<string, unknown>;

/** The built-in model with other tokenizer files. */
function model(name: string, change: { readonly tokenizer?: Json; readonly template?: string }): string {
  const to = join(folder, name);
  cpSync(BUILTIN, to, { recursive: true });
  const edit = (file: string, more: Json): void => {
    const path = join(to, file);
    writeFileSync(path, JSON.stringify({ ...(JSON.parse(readFileSync(path, 'utf8')) as Json), ...more }));
  };
  if (change.tokenizer) edit('tokenizer.json', change.tokenizer);
  if (change.template !== undefined) edit('tokenizer_config.json', { chat_template: change.template });
  return to;
}

const MODELS = {
  pattern: model('pattern', {
    tokenizer: { pre_tokenizer: { type: 'Split', pattern: { Regex: '(a+)+$' }, behavior: 'Isolated', invert: false } },
  }),
  range: model('range', {
    template: '{% for a in range(99999) %}{% for b in range(99999) %}{{ b }}{% endfor %}{% endfor %}{{ messages[0].content }}',
  }),
  macro: model('macro', {
    template: '{% macro f(n) %}{% if n > 0 %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}{{ messages[0].content }}',
  }),
};

const rows = (content: string): string =>
  Array.from({ length: 4 }, (_, i) =>
    JSON.stringify({
      messages: [
        { role: 'user', content },
        { role: 'assistant', content: `yes ${i}` },
      ],
    }),
  ).join('\n');
const AAA = rows(`${'a'.repeat(60)}!`);
const LONG_ROW = JSON.stringify({
  messages: Array.from({ length: 200_000 }, (_, i) => ({ role: i % 2 ? 'assistant' : 'user', content: `message number ${i}` })),
});
const WIDE = `${Array.from({ length: 1_000_000 }, (_, i) => `c${i}`).join(',')}\n${'1,'.repeat(999_999)}1\n`;

async function chooseData(page: Page, name: string, text: string): Promise<void> {
  await page.getByRole('group', { name: 'Data' }).getByRole('radio', { name: 'File' }).check();
  await page.locator('#field-data').setInputFiles({ name, mimeType: 'text/plain', buffer: Buffer.from(text) });
}

async function chooseFolder(page: Page, path: string): Promise<void> {
  await page.getByRole('group', { name: 'Model' }).getByRole('radio', { name: 'Folder' }).check();
  await page.locator('input[webkitdirectory]').setInputFiles(path);
}

const headline = (page: Page) => page.locator('.data-preview > summary .note');

for (const [name, path] of Object.entries(MODELS)) {
  test(`${name}: an error by name, soon; then the built-in model reads the same file and trains`, async ({ page }) => {
    await open(page);
    await chooseData(page, 'rows.jsonl', AAA);
    await expect(headline(page)).toContainText('rows.jsonl ·');
    const begun = Date.now();
    await chooseFolder(page, path);
    await expect(page.locator('.data-preview .fault, .bad-rows').first()).toBeVisible({ timeout: 30_000 });
    const told = await page.locator('.data-preview').innerText();
    console.log(`${name}: ${Date.now() - begun} ms: ${told.replace(/\s+/g, ' ').slice(0, 240)}`);
    expect(told).toMatch(/rows\.jsonl/);
    await page.getByRole('group', { name: 'Model' }).getByRole('radio', { name: 'Built-in' }).check();
    await expect(page.locator('[data-action="start"]')).toBeEnabled();
    // Long enough for an answer behind the sixty letters.
    await small(page, { steps: '2', seqLen: '128' });
    await page.locator('[data-action="start"]').click();
    await expect(page.locator('[data-ended]')).toBeVisible({ timeout: 120_000 });
  });
}

test('a preview that does not end gives way to the next soon', async ({ page }) => {
  await open(page);
  await chooseData(page, 'rows.jsonl', AAA);
  await expect(headline(page)).toContainText('rows.jsonl ·');
  await chooseFolder(page, MODELS.pattern);
  // It is in the pattern now.
  await page.waitForTimeout(1200);
  const begun = Date.now();
  await page.getByRole('group', { name: 'Model' }).getByRole('radio', { name: 'Built-in' }).check();
  await expect(page.locator('[data-action="start"]')).toBeEnabled();
  await expect(page.locator('.data-preview')).toHaveAttribute('aria-busy', 'false');
  const took = Date.now() - begun;
  console.log(`the next preview: ${took} ms after it was asked for`);
  expect(took).toBeLessThan(8000);
});

for (const [name, text] of [
  ['wide.csv', WIDE],
  ['long.jsonl', LONG_ROW],
] as const) {
  test(`${name}: read or refused, and a discard while it is read is at once`, async ({ page }) => {
    await open(page);
    const begun = Date.now();
    await chooseData(page, name, text);
    await expect(page.locator('.data-preview')).toHaveAttribute('aria-busy', 'true', { timeout: 30_000 });
    await expect(page.locator('.data-preview')).toHaveAttribute('aria-busy', 'false', { timeout: 300_000 });
    console.log(
      `${name}: ${Date.now() - begun} ms: ${(await page.locator('.data-preview').innerText()).replace(/\s+/g, ' ').slice(0, 200)}`,
    );
  });
}

test('a run that does not answer is ended by the person, and goes on from its last checkpoint', async ({ page }) => {
  await open(page);
  await small(page, { steps: '2000', saveEvery: '1' });
  await page.locator('[data-action="start"]').click();
  await expect(page.locator('[data-phase="training"], [data-phase="saving"]').first()).toBeVisible({ timeout: 120_000 });
  // Some steps, each with its checkpoint.
  await page.waitForTimeout(15_000);
  const trains = page.workers().find((worker) => /\/assets\/worker-[^/]*\.js$/.test(worker.url()));
  void trains
    // Not in the debugger's own task: a browser does not end a worker in the middle of one.
    ?.evaluate(() => {
      setTimeout(() => {
        for (;;);
      });
    })
    .catch(() => undefined);
  await expect(page.locator('[data-notice="silent"]')).toBeVisible({ timeout: 60_000 });
  await page.locator('[data-action="endSilent"]').click();
  await expect(page.getByTestId('device')).toHaveAttribute('data-status', 'ready', { timeout: 60_000 });
  const ended = Date.now();
  const resume = page.locator('[data-action="resume"]').first();
  await expect(resume).toBeEnabled({ timeout: 30_000 });
  console.log(`offered ${Date.now() - ended} ms after the GPU was open again: ${await resume.innerText()}`);
  await resume.click();
  await expect(page.locator('[data-phase="training"]').first()).toBeVisible({ timeout: 60_000 });
});
