import { expect, it } from 'vitest';
import { DEFAULTS } from '../../config/run-config';
import { forecast } from '../../plan/forecast';
import { BUILTIN } from '../known-models';
import { purposeBar, type Bar } from './bar-model';
import { budgetOn, scaleOf } from './budget-line';
import { formulaText } from './formula-text';

it('a segment of the built-in model says how its bytes come about', () => {
  const bar = purposeBar('LISA', forecast(BUILTIN.shape, DEFAULTS), true);
  const of = (id: string): string => formulaText(bar.segments.find((segment) => segment.id === id)?.formula ?? []);
  expect(of('layers-optimizer')).toBe('2 layers × 184,576 parameters × 8 B (m and v)');
  expect(of('edges-state')).toContain('262,144 parameters × 12 B (embedding: gradient, m and v)');
  // What is read is the arithmetic: the products in the text add up to the bytes.
  for (const { bytes, formula } of bar.segments) {
    const products = formulaText(formula ?? [])
      .split(' + ')
      .map((term) => term.replace(/\(.*$/, '').split('×'));
    const sum = products.reduce((total, factors) => total + factors.reduce((p, f) => p * Number(f.replace(/[^\d]/g, '')), 1), 0);
    expect(sum).toBe(bytes);
  }
});

it('a near budget is on the scale, a far one is not', () => {
  const bar = (total: number): Bar => ({ label: 'a', kind: 'forecast', segments: [], total });
  expect(scaleOf([bar(100)], 150)).toBeGreaterThanOrEqual(150);
  expect(scaleOf([bar(100)], 1000)).toBe(scaleOf([bar(100)]));
  expect(scaleOf([bar(100)], 40)).toBe(scaleOf([bar(100)]));
});

it('past the budget a bar says by how much', () => {
  const bar: Bar = { label: 'a', kind: 'forecast', segments: [], total: 130 };
  expect(budgetOn(bar, 100)).toEqual({ verdict: 'exceeds', over: 30 });
  expect(budgetOn(bar, 150)).toEqual({ verdict: 'tight', over: 0 });
  expect(budgetOn(bar, 1000)).toEqual({ verdict: 'fits', over: 0 });
});
