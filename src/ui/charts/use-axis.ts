// Keeps the same axis object while its bounds stay the same, so that new values do not redraw everything.

import { useMemo } from 'react';
import type { ValueAxis } from './axis';

export function useAxis(axis: ValueAxis): ValueAxis {
  const { low, high, ticks } = axis;
  const marks = ticks.join();
  // eslint-disable-next-line react-hooks/exhaustive-deps -- an axis is its bounds and its marks
  return useMemo(() => axis, [low, high, marks]);
}
