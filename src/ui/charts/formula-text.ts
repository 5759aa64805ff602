// A formula of a memory forecast in words: "2 layers × 197,120 parameters × 8 B (m and v)". Pure.

import type { FormulaTerm } from '../../plan/forecast-formula';
import { formatCount, plural } from '../format';

function termText({ counts, bytes, what }: FormulaTerm): string {
  const factors = counts.map(({ count, unit }) => plural(count, unit));
  return `${[...factors, `${formatCount(bytes)} B`].join(' × ')} (${what})`;
}

export const formulaText = (terms: readonly FormulaTerm[]): string => terms.map(termText).join(' + ');
