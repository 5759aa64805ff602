// Pacing against a simulated device, whose command buffers the host sees end at its next look only: no command buffer may last long, whatever
// the device's speed and the host's polls.

import { describe, expect, test } from 'vitest';
import { seededRandom } from '../testing/compare';
import { Pacing, TARGET_MS, type Load } from './pacing';

interface Device {
  /** FLOPs and bytes per ms. */
  readonly flops: number;
  readonly bytes: number;
  /** Milliseconds between two looks of the host. */
  readonly poll: number;
  /** Of every so many looks one comes half a second late. */
  readonly stalls?: number;
}

/** Dispatches of a step: products cut at `most` FLOPs, norms, and an update that is all bytes. */
function stepOf(most: number): Load[] {
  const list: Load[] = [];
  const add = (flops: number, bytes: number): void => {
    const pieces = Math.ceil(flops / most);
    for (let i = 0; i < pieces; i++) list.push({ flops: flops / pieces, bytes: bytes / pieces });
  };
  for (let layer = 0; layer < 12; layer++) {
    for (const flops of [1.8e9, 0.6e9, 2.4e9, 2.4e9, 3.6e9]) add(flops, 2e7);
    for (let norm = 0; norm < 4; norm++) add(5e6, 6e6);
  }
  add(4e10, 3e8);
  for (let update = 0; update < 6; update++) add(1e8, 1.2e9);
  return list;
}

/** Milliseconds of every command buffer, with its dispatches. */
function simulate(
  { flops, bytes, poll, stalls }: Device,
  dispatches: readonly Load[],
  steps: number,
): { ms: number; dispatches: number; at: number }[] {
  const pacing = new Pacing();
  const random = seededRandom(7);
  const flight: { load: ReturnType<Pacing['submitted']>; end: number }[] = [];
  const all: { ms: number; dispatches: number; at: number }[] = [];
  let now = 0;
  let free = 0;
  const look = (): void => {
    now = (Math.floor(now / poll) + 1) * poll + (stalls && random() < 1 / stalls ? 500 : 0);
    for (const one of flight.filter(({ end }) => end <= now)) pacing.ended(one.load, now);
    flight.splice(0, flight.length, ...flight.filter(({ end }) => end > now));
    pacing.settle();
  };
  let list: Load[] = [];
  const total = (): Load => ({ flops: list.reduce((s, d) => s + d.flops, 0), bytes: list.reduce((s, d) => s + d.bytes, 0) });
  const submit = (): void => {
    while (flight.length >= pacing.depth) look();
    const load = total();
    const ms = load.flops / flops + load.bytes / bytes;
    free = Math.max(free, now) + ms;
    flight.push({ load: pacing.submitted(load, list.length, now), end: free });
    all.push({ ms, dispatches: list.length, at: now });
    list = [];
  };
  for (let step = 0; step < steps; step++) {
    for (const dispatch of dispatches) {
      const { flops: f, bytes: b } = total();
      if (list.length > 0 && pacing.predict({ flops: f + dispatch.flops, bytes: b + dispatch.bytes }, list.length + 1) > TARGET_MS)
        submit();
      list.push(dispatch);
    }
    submit();
    now += 0.3;
  }
  return all;
}

const TFLOPS = 1e9; // FLOPs a ms

describe.each([1, 16, 100])('looks every %i ms', (poll) => {
  test.each([0.03, 0.1, 0.3, 1, 3, 10, 30])('%f TFLOP/s: no command buffer over 0.5 s', (speed) => {
    for (const intensity of [2, 50]) {
      for (const stalls of [undefined, 10]) {
        const device = { flops: speed * TFLOPS, bytes: (speed * TFLOPS) / intensity, poll, stalls };
        // Dispatches are cut to 20 ms of the device, and no finer than on a CPU. An update of one buffer is not cut.
        const all = simulate(device, stepOf(Math.max(0.6e9, 20 * speed * TFLOPS)), 8);
        const alone = Math.max(...all.filter(({ dispatches }) => dispatches === 1).map(({ ms }) => ms), 0);
        const together = Math.max(...all.filter(({ dispatches }) => dispatches > 1).map(({ ms }) => ms));
        expect(together, JSON.stringify(device)).toBeLessThan(500);
        if (intensity === 2) expect(alone).toBeLessThan(500);
      }
    }
  });

  test('0.001 TFLOP/s: one product a command buffer', () => {
    const all = simulate({ flops: 0.001 * TFLOPS, bytes: 0.005 * TFLOPS, poll }, stepOf(0.6e9), 2);
    for (const { ms, dispatches } of all) if (dispatches > 1) expect(ms).toBeLessThan(500);
  });

  test('a fast device is kept busy', () => {
    const speed = 10 * TFLOPS;
    const dispatches = stepOf(20 * speed);
    const all = simulate({ flops: speed, bytes: speed / 30, poll }, dispatches, 60);
    const half = all.slice(Math.floor(all.length / 2));
    const busy = half.reduce((sum, { ms }) => sum + ms, 0);
    expect(busy / (half[half.length - 1].at - half[0].at + half[half.length - 1].ms)).toBeGreaterThan(0.8);
  });
});
