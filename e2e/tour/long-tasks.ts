// Main-thread tasks of 50 ms and more, as the browser itself reports them.

import type { Page } from '@playwright/test';

interface Watched {
  longTasks?: number[];
}

/** Before the page is opened. */
export async function watchLongTasks(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const found: number[] = ((window as Watched).longTasks = []);
    new PerformanceObserver((list) => found.push(...list.getEntries().map((entry) => entry.duration))).observe({ type: 'longtask' });
  });
}

/** Durations since the last call, in ms, longest first. */
export const takeLongTasks = (page: Page): Promise<number[]> =>
  page.evaluate(() => ((window as Watched).longTasks ?? []).splice(0).sort((a, b) => b - a));
