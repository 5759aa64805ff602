// The set-up screen: what it shows and hides, links and files, memory against a budget, advice, and why.

import { readFile } from 'node:fs/promises';
import AxeBuilder from '@axe-core/playwright';
import { expect, test } from '@playwright/test';
import { open, total, watch } from '../support/page';

const START = '[data-action="start"]';

test('simple shows what most runs need, advanced everything, and the page remembers which', async ({ page }) => {
  const complaints = watch(page);
  await open(page);
  for (const key of ['lisaLayers', 'stepsPerPeriod', 'steps', 'lr']) await expect(page.locator(`#field-${key}`)).toBeVisible();
  for (const key of ['batchSize', 'seqLen', 'seed', 'gradClip', 'prompts']) await expect(page.locator(`#field-${key}`)).toHaveCount(0);
  await page.getByRole('radio', { name: 'Advanced' }).check();
  for (const key of ['batchSize', 'seqLen', 'seed', 'eps', 'alwaysOn', 'lisaSampler', 'prompts', 'measureUpdates']) {
    await expect(page.locator(`#field-${key}`)).toHaveCount(1);
  }
  await page.reload();
  await expect(page.locator('#field-seed')).toBeVisible();

  await page.locator('#field-seed').fill('7');
  await page.locator('#field-gradClip').fill('2');
  await page.getByText('2 settings are not at their defaults').click();
  await page.getByRole('button', { name: 'Reset Seed' }).click();
  await expect(page.locator('#field-seed')).toHaveValue('1');
  await expect(page.locator('.changed > summary')).toHaveText('1 setting is not at its default');
  expect(complaints).toEqual([]);
});

test('the start button leads to a fault that the simple set-up does not show', async ({ page }) => {
  await open(page, '#seqLen=4096');
  await expect(page.locator('#field-seqLen')).toHaveCount(0);
  await expect(page.locator(START)).toHaveText('Fix the length');
  await page.locator(START).click();
  await expect(page.locator('#field-seqLen')).toBeFocused();
});

test('presets set their own settings, show their minutes once the device was measured, and become custom', async ({ page }) => {
  await open(page);
  const group = page.getByRole('group', { name: 'Preset' });
  await expect(group.getByRole('radio', { name: 'Good default' })).toBeChecked();
  await expect(page.locator('.preset-cards .estimate').first()).toHaveText(/^about \d/);
  await expect(page.locator('.preset-cards label').first()).toHaveAttribute('title', /measured with a matrix product on this device/);
  await page.locator('#field-lr').fill('0.002');
  await group.getByRole('radio', { name: 'Quick look' }).check();
  await expect(page.locator('#field-steps')).toHaveValue('30');
  await expect(page.locator('#field-lr')).toHaveValue('0.002');
  await page.locator('#field-steps').fill('31');
  for (const radio of await group.getByRole('radio').all()) await expect(radio).not.toBeChecked();
  await expect(group).toContainText('Custom');
});

test('settings live in the address, and the page says what it could not load from a bad link', async ({ page }) => {
  await open(page, '#lisaLayers=3&steps=0&method=sgd&seed=5&nonsense=1');
  await expect(page.getByRole('alert')).toContainText('Steps must be a whole number from 1');
  await expect(page.getByRole('alert')).toContainText('Method must be one of lisa, full, lora');
  await expect(page.locator('#field-lisaLayers')).toHaveValue('3');
  await expect(page).toHaveURL(/#seed=5&lisaLayers=3$/);
  await page.locator('#field-lisaLayers').fill('2');
  await expect(page).toHaveURL(/#seed=5$/);
  await page.evaluate(() => (location.hash = '#method=lora'));
  await expect(page.locator('#field-loraRank')).toBeVisible();
  await expect(page.locator('#field-lr')).toHaveValue('0.002');
  await expect(page.getByRole('alert')).toHaveCount(0);
});

test('settings go to a file and come back, and a broken file changes nothing', async ({ page }) => {
  await open(page, '#lisaLayers=3&seed=9');
  const saved = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save as JSON' }).click();
  const path = await (await saved).path();
  expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ settings: { lisaLayers: 3, seed: 9, model: 'wordsmith-2m' } });

  const input = page.getByLabel('Open a settings file');
  await page.locator('#field-lisaLayers').fill('1');
  const text = '{"format":"lisa-studio settings","version":1,"settings":{"lr":-1,"stepz":3}}';
  await input.setInputFiles({ name: 'broken.json', mimeType: 'application/json', buffer: Buffer.from(text) });
  const card = page.locator('[data-error="CONFIG_INVALID"]');
  await expect(card).toContainText('lr must be a number above 0');
  await expect(card).toContainText('"stepz" is not a setting');
  await expect(page.locator('#field-lisaLayers')).toHaveValue('1');
  await input.setInputFiles(path);
  await expect(page.locator('#field-lisaLayers')).toHaveValue('3');
  await expect(card).toHaveCount(0);
});

test('bars follow every setting, and are compared with a budget', async ({ page }) => {
  await open(page);
  await page.getByRole('radio', { name: 'Advanced' }).check();
  const lisa = page.locator('[data-bar="LISA"]').first();
  await expect(lisa).toBeVisible();
  let before = await total(page, 'LISA');
  const grows = async (change: () => Promise<unknown>, sign: 1 | -1): Promise<void> => {
    await change();
    await expect.poll(async () => Math.sign((await total(page, 'LISA')) - before)).toBe(sign);
    before = await total(page, 'LISA');
  };
  await grows(() => page.getByRole('slider', { name: 'Layers trained at a time (γ), slider' }).press('ArrowRight'), 1);
  await grows(() => page.getByRole('slider', { name: 'Length, slider' }).press('ArrowLeft'), -1);
  await grows(() => page.getByRole('slider', { name: 'Batch, slider' }).press('ArrowLeft'), -1);
  await grows(() => page.getByLabel('Embedding and head (tied)').selectOption('off'), -1);

  await page.getByLabel('Memory budget', { exact: true }).fill('0.02');
  await expect(lisa).toHaveAttribute('data-verdict', 'exceeds');
  await expect(page.locator(START)).toHaveText('Start LISA anyway');
  await expect(page.locator(START)).toBeEnabled();
  await page.getByLabel('Memory budget', { exact: true }).fill('8');
  await expect(lisa).toHaveAttribute('data-verdict', 'fits');
  await expect(page.locator(START)).toHaveText('Start LISA');
  await page.getByRole('button', { name: 'Clear' }).click();
  await expect(lisa).not.toHaveAttribute('data-verdict');
});

test('the waterfall adds up, and a run is fitted to a budget, which a person can overrule', async ({ page }) => {
  const complaints = watch(page);
  await open(page);
  const fall = page.getByRole('region', { name: 'Where the memory goes' });
  const bytes = (): Promise<number[]> =>
    fall.locator('tr[data-bytes]').evaluateAll((rows) => rows.map((row) => Number(row.getAttribute('data-bytes'))));
  await expect(fall.locator('[data-kind="own"]')).toBeVisible();
  const [full, ...steps] = await bytes();
  const lora = steps.pop()!;
  const run = steps.pop()!;
  expect(full + steps.reduce((sum, each) => sum + each, 0)).toBe(run);
  expect(run).toBe(await total(page, 'LISA'));
  expect(lora).toBe(await total(page, 'LoRA'));
  await expect(fall).toContainText('Why not LoRA?');

  await page.getByLabel('Memory budget', { exact: true }).fill('0.02');
  await page.getByRole('button', { name: 'Fit to the budget' }).click();
  const fit = page.getByRole('region', { name: 'Fit to the budget' });
  await expect(fit).toContainText('With these settings it needs');
  const coarse = fit.getByRole('checkbox', { name: /Compute the feed-forward again|Compute whole layers again/ }).first();
  await coarse.click();
  await expect(fit).toContainText('left out: Recompute activations stay');
  await fit.getByRole('checkbox', { name: /left out/ }).click();
  await expect(fit).toContainText('With these settings it needs');
  await fit.getByRole('button', { name: 'Use these settings' }).click();
  await expect(page.locator('[data-bar="LISA"]').first()).toHaveAttribute('data-verdict', /fits|tight/);
  await expect(fall.locator('[data-lever="recomputation"]')).toBeVisible();
  await expect.poll(async () => (await bytes()).at(-2)).toBe(await total(page, 'LISA'));

  await page.getByLabel('Memory budget', { exact: true }).fill('0.001');
  await page.getByRole('button', { name: 'Fit to the budget' }).click();
  await expect(fit).toContainText('this is the smallest budget that would do');
  await fit.getByRole('button', { name: 'Close' }).click();

  await page.getByText('Which models fit in 4, 8, 16 GB').click();
  await expect(page.locator('.fits tbody tr[aria-busy="false"]')).toHaveCount(7);
  await fall.getByRole('combobox').selectOption('Qwen2.5-0.5B');
  await expect(fall.locator('[data-kind="whole"]').first()).toContainText('GB');
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id, nodes }) => ({ id, nodes: nodes.map((node) => node.html) }))).toEqual([]);
  await page.locator('.waterfall').screenshot({ path: 'test-results/tour/waterfall.png' });
  await page.locator('.memory-preview').screenshot({ path: 'test-results/tour/memory.png' });
  expect(complaints).toEqual([]);
});

test('a part of a bar shows its formula, by keyboard', async ({ page }) => {
  await open(page);
  const bars = page.getByRole('group', { name: /^Memory of each method/ });
  await bars.focus();
  for (let i = 0; i < 4; i++) await page.keyboard.press('ArrowRight');
  const tip = page.locator('.segment-tip');
  await expect(tip).toContainText('2 layers × 184,576 parameters × 8 B (m and v)');
  await page.keyboard.press('ArrowUp');
  await expect(tip).toContainText('adapter parameters');
  await page.keyboard.press('Escape');
  await expect(tip).toHaveCount(0);
});

test('coverage is shown in words, and one click takes the advice', async ({ page }) => {
  await open(page, '#stepsPerPeriod=20');
  const coverage = page.locator('.coverage');
  await expect(coverage).toContainText('about 6 of 8 layers will ever train: take K = 6 or 400 steps.');
  await coverage.getByRole('button', { name: 'Take K = 6' }).click();
  await expect(page.locator('#field-stepsPerPeriod')).toHaveValue('6');
  await expect(coverage).toContainText('all 8 layers are expected to train');
});

test('a why opens by keyboard and by touch, and closes on Escape', async ({ page }) => {
  await open(page);
  const why = page.getByRole('button', { name: 'Why: Layers trained at a time (γ)' });
  const note = page.getByText('12 bytes a parameter');
  await why.focus();
  await expect(note).toBeHidden();
  await page.keyboard.press('Enter');
  await expect(note).toBeVisible();
  await expect(why).toHaveAttribute('aria-expanded', 'true');
  await page.keyboard.press('Escape');
  await expect(note).toBeHidden();
  await expect(why).toHaveAttribute('aria-expanded', 'false');
  await why.dispatchEvent('click');
  await expect(note).toBeVisible();
  await page.locator('h1').click();
  await expect(note).toBeHidden();
  // A pointer above it opens nothing that its click would then close.
  await why.hover();
  await why.click();
  await expect(note).toBeVisible();
});

test('the hardware card says what is known of the device', async ({ page }) => {
  await open(page);
  await page.getByRole('button', { name: /^GPU:/ }).click();
  const card = page.getByRole('region', { name: 'Hardware' });
  await expect(card).toContainText('Software renderer');
  await expect(card).toContainText(/Largest buffer\s*\d/);
  await expect(card).toContainText(/Matrix product speed\s*[\d.]+ [MGT]FLOP\/s \(measured\)/);
  await expect(card).toContainText(/Storage used by this page\s*[\d.]+ \w*B (of [\d.]+ \w*B )?used/);
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`all of it is accessible, ${colorScheme}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme });
    await open(page, '#stepsPerPeriod=20&lisaSampler=bernoulli&steps=x');
    await page.getByRole('button', { name: /^GPU:/ }).click();
    await page.getByRole('radio', { name: 'Advanced' }).check();
    await page.getByLabel('Memory budget', { exact: true }).fill('1.4');
    await page.locator('.changed > summary').click();
    await page.getByRole('button', { name: 'Why: Seed' }).press('Enter');
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(({ id, nodes }) => ({ id, nodes: nodes.map((node) => node.html) }))).toEqual([]);
  });
}

test('everything fits 360 pixels', async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  await open(page, '#stepsPerPeriod=20&steps=x');
  await page.getByRole('radio', { name: 'Advanced' }).check();
  await page.getByLabel('Memory budget', { exact: true }).fill('1.4');
  await page.getByRole('button', { name: /^GPU:/ }).click();
  await page.getByRole('button', { name: 'Why: Seed' }).click();
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
});
