// How long a run of a preset would take on this device, from what was measured on it. An estimate, and worded as one.
// Pure.

import type { MeasuredSpeed } from '../../store/run/speed';
import { formatCount, formatLarge, plural } from '../format';

export interface PresetTime {
  /** 'about 12 min' */
  readonly text: string;
  /** What it rests on. */
  readonly basis: string;
}

/** As rough as an estimate is: 5 s, 40 s, 12 min, 3.5 h, 2 days. */
export function roughDuration(seconds: number): string {
  if (seconds < 10) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 90) return `${Math.round(seconds / 5) * 5} s`;
  const minutes = seconds / 60;
  if (minutes < 90) return `${Math.round(minutes)} min`;
  const hours = minutes / 60;
  if (hours < 10) return `${Math.round(hours * 2) / 2} h`;
  return hours < 48 ? `${Math.round(hours)} h` : plural(Math.round(hours / 24), 'day');
}

const measuredIn = ({ from }: MeasuredSpeed): string =>
  from.what === 'training'
    ? `measured over ${plural(from.steps, 'training step')} of this browser on this device`
    : 'measured with a matrix product on this device after opening; a run will measure its own';

/** Null before anything was measured, or where the plan is not known. */
export function presetTime(steps: number, stepFlops: number | null, speed: MeasuredSpeed | null): PresetTime | null {
  if (stepFlops === null || speed === null || !(steps > 0)) return null;
  return {
    text: `about ${roughDuration((stepFlops * steps) / speed.flopsPerSecond)}`,
    basis:
      `Estimate: ${formatCount(steps)} steps of ${formatLarge(stepFlops)}FLOP (the plan, full rows) at ${formatLarge(speed.flopsPerSecond)}FLOP/s, ` +
      `${measuredIn(speed)}. Evaluation, samples and saving come on top.`,
  };
}
