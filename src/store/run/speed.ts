// How fast this device trains: measured over the steps of real runs in this browser and kept by device. Before the
// first run, the worker's probe after opening (device.ts) is used. Nothing here is estimated.

import { create } from 'zustand';
import type { DeviceDescription } from '../../dispatch/limits';
import type { RunEvent } from '../../train/events';
import { useDeviceStore } from './device';
import { recall, remember } from '../remembered';
import { useRunStore } from './run';

/** Steps at the beginning of a stretch of training that are not measured: pipelines compile, caches fill. */
const WARM_UP = 3;
/** Steps in the mean, at most; older ones fade. */
const WINDOW = 50;
const REMEMBERED_DEVICES = 8;

export interface TrainingSpeed {
  /** FLOPs of a step at full rows, over the time that a step really took. */
  readonly flopsPerSecond: number;
  /** Steps that it was measured over. */
  readonly steps: number;
}

export type Speeds = Readonly<Record<string, TrainingSpeed>>;

export const deviceKey = ({ vendor, architecture, description, software }: DeviceDescription): string =>
  [vendor, architecture, description, software ? 'software' : ''].join('|');

const isSpeed = (value: unknown): value is TrainingSpeed => {
  if (typeof value !== 'object' || value === null) return false;
  const { flopsPerSecond, steps } = value as Partial<Record<string, unknown>>;
  const positive = (number: unknown): boolean => typeof number === 'number' && Number.isFinite(number) && number > 0;
  return positive(flopsPerSecond) && positive(steps);
};

export const checkSpeeds = (value: unknown): Speeds | undefined =>
  typeof value === 'object' && value !== null
    ? Object.fromEntries(Object.entries(value).filter((entry): entry is [string, TrainingSpeed] => isSpeed(entry[1])))
    : undefined;

export const useSpeedStore = create<{ readonly speeds: Speeds }>(() => ({ speeds: {} }));

/** Step times of one run, without the first ones of every stretch. */
export class Stopwatch {
  readonly #stepFlops: number;
  #skip = WARM_UP;
  #steps = 0;
  #ms = 0;

  constructor(stepFlops: number) {
    this.#stepFlops = stepFlops;
  }

  /** Training begins, or continues after a pause, an evaluation or a sample. */
  stretch(): void {
    this.#skip = Math.max(this.#skip, 1);
  }

  /** The speed so far; null while there are no measured steps. */
  step(ms: number): TrainingSpeed | null {
    if (this.#skip > 0) {
      this.#skip--;
    } else if (ms > 0) {
      if (this.#steps >= WINDOW) this.#ms *= (WINDOW - 1) / this.#steps;
      this.#steps = Math.min(this.#steps, WINDOW - 1) + 1;
      this.#ms += ms;
    }
    return this.#steps > 0 ? { flopsPerSecond: (this.#stepFlops * this.#steps * 1000) / this.#ms, steps: this.#steps } : null;
  }
}

let watch: { readonly runId: string; readonly stopwatch: Stopwatch; readonly device: string } | null = null;
let fresh: { readonly device: string; readonly speed: TrainingSpeed } | null = null;

/** Copies the speed into the store and saves it, but not at every step: nobody looks that often. */
function keep(): void {
  if (!fresh) return;
  const { device, speed } = fresh;
  fresh = null;
  const others = Object.entries(useSpeedStore.getState().speeds).filter(([key]) => key !== device);
  const speeds = Object.fromEntries([...others.slice(1 - REMEMBERED_DEVICES), [device, speed]]);
  useSpeedStore.setState({ speeds });
  remember('speed', speeds);
}

/** Measures the live run. Resolves once the stopwatch has taken the event in. */
export async function noteSpeed(runId: string, event: RunEvent): Promise<void> {
  const { run } = useRunStore.getState();
  if (event.type === 'prepared' && run?.runId === runId) {
    const { shape, device } = event.prepared;
    const { stepFlopsOf } = await import('../../plan/forecast');
    watch = { runId, stopwatch: new Stopwatch(stepFlopsOf(shape, run.config)), device: deviceKey(device) };
  }
  if (watch?.runId !== runId) return;
  if (event.type === 'step') {
    const speed = watch.stopwatch.step(event.metrics.stepMs);
    if (speed) fresh = { device: watch.device, speed };
  } else {
    if (event.type === 'phase' && event.phase === 'training') watch.stopwatch.stretch();
    keep();
  }
}

export const loadSpeeds = (): void => useSpeedStore.setState({ speeds: recall('speed', checkSpeeds) ?? {} });

export interface MeasuredSpeed {
  readonly flopsPerSecond: number;
  readonly from: { readonly what: 'probe' } | { readonly what: 'training'; readonly steps: number };
}

/** What is known of the speed of the open device; null before anything was measured. */
export function useMeasuredSpeed(): MeasuredSpeed | null {
  const { device, flopsPerSecond } = useDeviceStore();
  const speeds = useSpeedStore((state) => state.speeds);
  if (device.status !== 'ready') return null;
  const trained = speeds[deviceKey(device.device)];
  if (trained) return { flopsPerSecond: trained.flopsPerSecond, from: { what: 'training', steps: trained.steps } };
  return flopsPerSecond === null ? null : { flopsPerSecond, from: { what: 'probe' } };
}
