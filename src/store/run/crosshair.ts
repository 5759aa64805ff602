// The step that someone points at, in whichever chart; and the period whose band is pinned. Charts draw their lines from
// here without React, so pointing costs no rendering.

import { create } from 'zustand';

/** Steps from + 1 … to. */
export interface Band {
  readonly period: number;
  readonly from: number;
  readonly to: number;
}

export interface Crosshair {
  /** 0: before the first step. Null: nobody points. */
  readonly step: number | null;
  readonly pinned: Band | null;
}

export const useCrosshair = create<Crosshair>(() => ({ step: null, pinned: null }));

export function pointAt(step: number | null): void {
  if (useCrosshair.getState().step !== step) useCrosshair.setState({ step });
}

/** Pinning the same band again lets it go. */
export function pin(band: Band | null): void {
  const { pinned } = useCrosshair.getState();
  useCrosshair.setState({ pinned: band && pinned?.from === band.from && pinned.to === band.to ? null : band });
}

export const resetCrosshair = (): void => useCrosshair.setState({ step: null, pinned: null });

/** Where a key leads from the step pointed at (or from `latest`); undefined for any other key. */
export function stepOfKey(key: string, shift: boolean, step: number | null, latest: number, steps: number): number | null | undefined {
  const from = step ?? latest;
  const by = shift ? 10 : 1;
  const clamp = (to: number): number => Math.max(0, Math.min(steps, to));
  switch (key) {
    case 'ArrowLeft':
      return clamp(from - by);
    case 'ArrowRight':
      return clamp(from + by);
    case 'Home':
      return 0;
    case 'End':
      return latest;
    case 'Escape':
      return null;
    default:
      return undefined;
  }
}
