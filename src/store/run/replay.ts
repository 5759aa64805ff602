// The recorded run: its events go through the same reducer and the same columns as those of a live one, into a picture
// of their own. Nothing here knows the worker, and a live run knows nothing of this.

import { create } from 'zustand';
import { AppError, errorInfo, type ErrorInfo } from '../../base/errors';
import { guardedFetch } from '../../io/browser/guarded-fetch';
import { decodeRecording, type Recording } from '../../train/recording';
import { RunMetrics } from './metrics';
import { isActive, newRun, reduceRun, type Run } from './run';

/** A recording, played up to some moment. */
export class Player {
  readonly recording: Recording;
  /** Milliseconds. */
  readonly duration: number;
  run: Run;
  metrics: RunMetrics;
  /** Events played so far. */
  #next = 0;
  #at = 0;

  constructor(recording: Recording) {
    this.recording = recording;
    this.duration = recording.events.at(-1)?.at ?? 0;
    this.run = newRun('recorded', recording.config);
    this.metrics = this.#newMetrics();
  }

  get at(): number {
    return this.#at;
  }

  get ended(): boolean {
    return this.#at >= this.duration;
  }

  /** Plays on to this moment; an earlier one is reached from the beginning. True if anything changed. */
  seek(to: number): boolean {
    const at = Math.max(0, Math.min(this.duration, to));
    const { events, config } = this.recording;
    const back = at < this.#at;
    if (back) {
      this.#next = 0;
      this.run = newRun('recorded', config);
      this.metrics = this.#newMetrics();
    }
    this.#at = at;
    const from = this.#next;
    for (; this.#next < events.length && events[this.#next].at <= at; this.#next++) this.#take(this.#next);
    return back || this.#next > from;
  }

  #take(index: number): void {
    const { event } = this.recording.events[index];
    if (event.type === 'step') this.metrics.push(event.metrics);
    if (event.type === 'moved') this.metrics.noteMoved(event.period, event.layers);
    this.run = reduceRun(this.run, event);
  }

  #newMetrics(): RunMetrics {
    const { method, stepsPerPeriod } = this.recording.config;
    return new RunMetrics(method === 'lisa' ? stepsPerPeriod : null);
  }
}

export const SPEEDS = [1, 10, 60] as const;
export type Speed = (typeof SPEEDS)[number];

export interface ReplayStore {
  readonly status: 'idle' | 'loading' | 'ready' | 'failed';
  readonly error: ErrorInfo | null;
  readonly player: Player | null;
  readonly playing: boolean;
  readonly speed: Speed;
  /** Milliseconds of the recording. */
  readonly at: number;
  /** Changes with what the player shows. */
  readonly version: number;
}

export const useReplayStore = create<ReplayStore>(() => ({
  status: 'idle',
  error: null,
  player: null,
  playing: false,
  speed: 60,
  at: 0,
  version: 0,
}));

/** Below the page, so that it works from any folder of any server. */
const ADDRESS = 'recorded/run.json';
const TICK_MS = 100;
let timer: ReturnType<typeof setInterval> | undefined;
let ticked = 0;

/** Loads the recording, once a page, and plays it. `still`: shows its end and waits (for those who want no motion). */
export async function openReplay(still: boolean): Promise<void> {
  const { status } = useReplayStore.getState();
  if (status === 'loading' || status === 'ready') return;
  useReplayStore.setState({ status: 'loading', error: null });
  try {
    const player = new Player(decodeRecording(await fetchRecording()));
    useReplayStore.setState({ status: 'ready', player });
    if (still) seekReplay(player.duration);
    else playReplay();
  } catch (thrown) {
    useReplayStore.setState({ status: 'failed', error: errorInfo(thrown) });
  }
}

async function fetchRecording(): Promise<string> {
  const response = await guardedFetch(new URL(ADDRESS, document.baseURI)).catch(() => null);
  if (!response?.ok) throw new AppError('DATASET_READ', 'The recorded run could not be loaded.', 'Check the connection and try again.');
  return response.text();
}

/** Starts from the beginning if it is at its end. */
export function playReplay(): void {
  const { player } = useReplayStore.getState();
  if (!player) return;
  if (player.ended) seekReplay(0);
  clearInterval(timer);
  ticked = performance.now();
  timer = setInterval(tick, TICK_MS);
  useReplayStore.setState({ playing: true });
}

export function pauseReplay(): void {
  clearInterval(timer);
  useReplayStore.setState({ playing: false });
}

export const setReplaySpeed = (speed: Speed): void => useReplayStore.setState({ speed });

export function seekReplay(at: number): void {
  const { player, version } = useReplayStore.getState();
  if (!player) return;
  const changed = player.seek(at);
  useReplayStore.setState({ at: player.at, version: changed ? version + 1 : version });
}

function tick(): void {
  const { player, speed } = useReplayStore.getState();
  if (!player) return;
  const now = performance.now();
  seekReplay(player.at + (now - ticked) * speed);
  ticked = now;
  if (player.ended || !isActive(player.run)) pauseReplay();
}
