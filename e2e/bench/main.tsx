// Only scripts/chart-bench.mjs builds and opens this page: it mounts the charts of a run, as the product does,
// on a run of any length, and times what an update costs the main thread.

import { StrictMode, type ReactNode } from 'react';
import { flushSync } from 'react-dom';
import { createRoot } from 'react-dom/client';
import type { RunPicture } from '../../src/store/run/picture';
import { decodeRecording } from '../../src/train/recording';
import { PARTS, type PartName } from './parts';
import { LongRun } from './long-run';
import '../../src/ui/styles/tokens.css';
import '../../src/ui/styles/base.css';
import '../../src/ui/styles/controls.css';
import '../../src/ui/styles/layout.css';
import '../../src/ui/styles/charts.css';

/** Milliseconds of one update: in React, and until the frame is handed over to the compositor. */
export interface Timing {
  readonly script: number;
  readonly frame: number;
}

const root = createRoot(document.getElementById('stage')!);
let long: LongRun | null = null;
let version = 0;

function show(content: ReactNode): void {
  flushSync(() => root.render(content));
}

const bench = {
  /** Forgets the previous run, and makes one with `done` of `steps` steps. */
  fill: async (steps: number, done: number): Promise<void> => {
    const response = await fetch('./recording.json');
    long = new LongRun(decodeRecording(await response.text()), steps);
    long.advance(done);
  },

  parts: Object.keys(PARTS) as PartName[],

  /** Mounts one part of the page, or nothing; its lazy parts are there when this resolves. */
  mount: async (part: PartName | null): Promise<void> => {
    show(null);
    if (part === null) return;
    show(element(part));
    for (let i = 0; i < 5; i++) await frame();
  },

  /** `count` updates of `steps` new steps each, as ten times a second in the product. */
  update: async (part: PartName, count: number, steps: number): Promise<Timing[]> => {
    const timings: Timing[] = [];
    for (let i = 0; i < count; i++) {
      long?.advance(steps);
      version++;
      timings.push(await timed(element(part)));
    }
    return timings;
  },
};

function element(part: PartName): ReactNode {
  if (!long) throw new Error('fill() comes first.');
  const picture: RunPicture = { run: long.run(), metrics: long.metrics, version, kind: 'live' };
  const Part = PARTS[part];
  return (
    <StrictMode>
      <Part picture={picture} />
    </StrictMode>
  );
}

/** Renders at the start of a frame; the message arrives when style, layout and paint of that frame are done. */
function timed(content: ReactNode): Promise<Timing> {
  return new Promise((resolve) => {
    requestAnimationFrame(() => {
      const begun = performance.now();
      show(content);
      const script = performance.now() - begun;
      const channel = new MessageChannel();
      channel.port1.onmessage = () => {
        channel.port1.close();
        resolve({ script, frame: performance.now() - begun });
      };
      channel.port2.postMessage(null);
    });
  });
}

const frame = (): Promise<unknown> => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 50)));

export type Bench = typeof bench;
Object.assign(window, { bench });
