// A screen from all sides: light and dark at 1440, 800 and 390 pixels, with what axe finds in each.

import AxeBuilder from '@axe-core/playwright';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';

export const PICTURES = join(import.meta.dirname, '../../test-results/tour');

const SIZES = [
  [1440, 900],
  [800, 900],
  [390, 844],
] as const;
const SIDES = SIZES.flatMap(([width, height]) =>
  (['light', 'dark'] as const).map((colorScheme) => ({ name: `${width}-${colorScheme}`, width, height, colorScheme })),
);

export interface Finding {
  readonly screen: string;
  readonly rule: string;
  readonly impact: string;
  readonly where: string;
}

/** Pictures of the whole page under PICTURES, and axe's findings; pages that scroll sideways are a finding too. */
export async function look(page: Page, screen: string): Promise<Finding[]> {
  mkdirSync(PICTURES, { recursive: true });
  const findings: Finding[] = [];
  for (const { name, width, height, colorScheme } of SIDES) {
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme });
    await page.waitForTimeout(300);
    await page.screenshot({ path: join(PICTURES, `${screen}-${name}.png`), fullPage: true });
    const { violations } = await new AxeBuilder({ page }).analyze();
    for (const { id, impact, nodes } of violations) {
      for (const node of nodes)
        findings.push({ screen: `${screen}-${name}`, rule: id, impact: impact ?? '', where: node.html.slice(0, 140) });
    }
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (overflow > 0) findings.push({ screen: `${screen}-${name}`, rule: 'scrolls-sideways', impact: 'serious', where: `${overflow} px` });
  }
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.emulateMedia({ colorScheme: 'light' });
  return findings;
}
