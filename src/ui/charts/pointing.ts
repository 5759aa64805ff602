// From a pointer over a chart to the step under it. Mouse and pen point while they are over a chart. A finger's step stays
// until something else is touched, so that it can be read.

import { useEffect, type PointerEvent } from 'react';
import { pointAt, resetCrosshair } from '../../store/run/crosshair';
import { GUTTER, plotWidth } from './axis';

/** Marks the elements that have these handlers. */
export const POINTING = 'pointing';
/** Pixels beside the plot that still count as its end. */
const SLACK = 12;

/** Step at a place of a chart that begins at `left`; null beside the plot. */
export function stepAtPixel(clientX: number, left: number, width: number, steps: number): number | null {
  const inner = plotWidth(width);
  const x = clientX - left - GUTTER.left;
  if (inner <= 0 || x < -SLACK || x > inner + SLACK) return null;
  return Math.round((Math.max(0, Math.min(inner, x)) / inner) * steps);
}

export function pointingHandlers(steps: number, width: number) {
  const follow = ({ clientX, currentTarget }: PointerEvent): void =>
    pointAt(stepAtPixel(clientX, currentTarget.getBoundingClientRect().left, width, steps));
  return {
    onPointerDown: follow,
    onPointerMove: follow,
    onPointerLeave: ({ pointerType }: PointerEvent): void => {
      if (pointerType !== 'touch') pointAt(null);
    },
  };
}

/** Lets go of the step when something else is touched, and of everything when another run is shown. */
export function useLetGo(runId: string): void {
  useEffect(() => {
    const onDown = ({ target }: Event): void => {
      if (target instanceof Element && !target.closest(`.${POINTING}`)) pointAt(null);
    };
    document.addEventListener('pointerdown', onDown);
    return () => {
      document.removeEventListener('pointerdown', onDown);
      resetCrosshair();
    };
  }, [runId]);
}
