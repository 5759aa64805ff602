// `npm run tour -- crash`: the tab and the whole browser are killed at random moments of a run, with a kept profile. Whatever was saved is
// offered again, and the run that went through all of it ends with the loss of the run that was left alone, to the last digit.
// LISA_CRASHES (20) and LISA_CRASH_SEED (1) say how many and which moments. Slow: about half a minute a crash on a software GPU.

import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as rest } from 'node:timers/promises';
import { chromium, expect, test, type Locator, type Page } from '@playwright/test';
import playwright from '../../playwright.config';
import { randomStream } from '../../src/base/random';
import { phase } from '../support/page';

const CRASHES = Number(process.env.LISA_CRASHES ?? 20);
const SEED = Number(process.env.LISA_CRASH_SEED ?? 1);
const SETTINGS = '#steps=24&stepsPerPeriod=2&batchSize=2&seqLen=32&evalEvery=8&saveEvery=2';
/** A crash comes after up to this many more steps, and then within this time: a machine's load moves none of them before the first save. */
const MORE_STEPS = 8;
const LONGEST_MS = 3000;

test.setTimeout(0);

const base = playwright.use?.baseURL ?? '';
const { executablePath, args = [] } = playwright.use?.launchOptions ?? {};

/** A browser of our own, so that it can be killed without a goodbye; the profile stays. */
class Killable {
  readonly #profile = mkdtempSync(join(tmpdir(), 'lisa-crash-'));
  #child: ChildProcess | null = null;

  async open(hash: string): Promise<Page> {
    if (!executablePath) throw new Error('No Chromium was found.');
    const port = join(this.#profile, 'DevToolsActivePort');
    rmSync(port, { force: true });
    const own = ['--remote-debugging-port=0', `--user-data-dir=${this.#profile}`, '--no-first-run'];
    this.#child = spawn(executablePath, [...args, ...own, 'about:blank'], { detached: true, stdio: 'ignore' });
    let found = '';
    await expect.poll(() => (found = readPort(port)), { timeout: 60_000 }).not.toBe('');
    const browser = await chromium.connectOverCDP(`http://127.0.0.1:${found}`);
    const page = browser.contexts()[0].pages()[0];
    await page.goto(`${base}${hash}`);
    return page;
  }

  /** All processes of the browser at once. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (!child?.pid) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    process.kill(-child.pid, 'SIGKILL');
    await gone;
    this.#child = null;
  }

  async forget(): Promise<void> {
    await this.kill();
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

function readPort(file: string): string {
  try {
    return readFileSync(file, 'utf8').split('\n')[0];
  } catch {
    return '';
  }
}

const start = (page: Page): Promise<void> => page.locator('[data-action="start"]').first().click({ timeout: 120_000 });
const isDone = async (page: Page): Promise<boolean> =>
  (await phase(page)
    .first()
    .getAttribute('data-phase')
    .catch(() => null)) === 'done';

const newest = async (page: Page): Promise<Locator> => {
  await page.getByRole('navigation').getByRole('button', { name: 'History' }).click();
  return page.locator('.past').first();
};

/** Held-out loss of the newest run, as the page has it: every digit. */
async function finalLoss(page: Page): Promise<string> {
  const run = await newest(page);
  await expect(run).toHaveAttribute('data-status', 'done');
  const loss = run.locator('.past-facts dd').first();
  await expect(loss).toHaveAttribute('title', /\d\.\d+/);
  return (await loss.getAttribute('title')) ?? '';
}

async function end(page: Page): Promise<string> {
  await expect(phase(page)).toHaveAttribute('data-phase', 'done', { timeout: 600_000 });
  return finalLoss(page);
}

const stepNow = async (page: Page): Promise<number> =>
  Number(
    /step ([\d,]+)/.exec(
      (await page
        .locator('.step-count')
        .textContent({ timeout: 5000 })
        .catch(() => null)) ?? '',
    )?.[1] ?? 0,
  );

/** Until the run has come to this step, or has ended. A resumed run shows step 0 until its checkpoint is read. */
async function stepReached(page: Page, step: number): Promise<void> {
  await expect.poll(async () => (await isDone(page)) || (await stepNow(page)) >= step, { timeout: 600_000 }).toBe(true);
}

/** The step that the page says is saved; 0: none. */
const toldSaved = async (page: Page): Promise<number> =>
  Number(
    await page
      .locator('.saved')
      .getAttribute('data-saved', { timeout: 1000 })
      .catch(() => null),
  );

/** After a crash: resumes the run, and returns the step from which; null if the page offers none. */
async function resume(page: Page): Promise<number | null> {
  await expect(page.getByTestId('device')).toHaveAttribute('data-status', 'ready', { timeout: 120_000 });
  const button = page.locator('[data-action="resume"]').first();
  const text = await button.textContent({ timeout: 15_000 }).catch(() => null);
  if (text === null) return null;
  await button.click();
  return Number(/step (\d+)/.exec(text)?.[1]);
}

test('crashes at random moments', async () => {
  const browser = new Killable();
  try {
    let page = await browser.open(SETTINGS);
    await start(page);
    const expected = await end(page);
    const random = randomStream(SEED, 'crashes');
    let [crashes, resumed, restarted, finished] = [0, 0, 0, 0];
    const began = Date.now();
    while (crashes < CRASHES) {
      await browser.kill();
      page = await browser.open(SETTINGS);
      await start(page);
      // The last step that was called saved, or resumed from: nothing after it may be lost.
      let saved = 0;
      let begun = 0;
      for (;;) {
        await stepReached(page, begun + random.nextBelow(MORE_STEPS + 1));
        await rest(random.nextFloat() * LONGEST_MS);
        if (crashes >= CRASHES || (await isDone(page))) break;
        saved = Math.max(saved, await toldSaved(page));
        const whole = random.nextFloat() < 0.5;
        if (whole) await browser.kill();
        else await crashTab(page);
        crashes++;
        console.log(`crash ${crashes}: ${whole ? 'browser' : 'tab'}, step ${saved} called saved`);
        if (!whole) await browser.kill();
        page = await browser.open(SETTINGS);
        const from = await resume(page);
        if (from !== null) {
          expect(from, `crash ${crashes}: step ${saved} was called saved`).toBeGreaterThanOrEqual(saved);
          saved = from;
          begun = from;
          resumed++;
        } else if (saved === 0) {
          restarted++;
          await start(page);
        } else {
          // It crashed after its end was stored, before the page said so; else something was lost that the page called saved.
          break;
        }
      }
      const loss = (await isDone(page)) || (await phase(page).count()) > 0 ? await end(page) : await finalLoss(page);
      expect(loss, `after ${crashes} crashes`).toBe(expected);
      finished++;
    }
    // Else all of them came before there was anything to lose.
    expect(resumed).toBeGreaterThan(0);
    const minutes = ((Date.now() - began) / 60_000).toFixed(1);
    console.log(
      `${crashes} crashes in ${minutes} min: ${resumed} resumed, ${restarted} before the first save; ${finished} runs ended, each with the held-out loss ${expected}`,
    );
  } finally {
    await browser.forget();
  }
});

/** The renderer dies; the browser and the GPU process live on. */
async function crashTab(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const crashed = page.waitForEvent('crash', { timeout: 15_000 });
  // It never answers.
  session.send('Page.crash').catch(() => undefined);
  await crashed;
}
