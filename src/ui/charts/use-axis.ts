// The same axis as long as it has the same bounds: what is drawn against it need not be drawn anew for every new value.

import { useMemo } from 'react';
import type { ValueAxis } from './axis';

export function useAxis(axis: ValueAxis): ValueAxis {
  const { low, high, ticks } = axis;
  const marks = ticks.join();
  // eslint-disable-next-line react-hooks/exhaustive-deps -- an axis is its bounds and its marks
  return useMemo(() => axis, [low, high, marks]);
}
