import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DEFAULTS } from '../../config/run-config';
import { stepFlopsOf } from '../../plan/forecast';
import type { RunEvent } from '../../train/events';
import { BUILTIN } from '../../ui/known-models';
import { newRun, useRunStore } from './run';
import { checkSpeeds, deviceKey, noteSpeed, Stopwatch, useSpeedStore } from './speed';

// Another file's test may have measured a run already.
beforeEach(() => useSpeedStore.setState({ speeds: {} }));
afterEach(() => void vi.unstubAllGlobals());

describe('the speed', () => {
  it('is the mean of the steps after the first ones', () => {
    const watch = new Stopwatch(1000);
    expect([900, 500, 300].map((ms) => watch.step(ms))).toEqual([null, null, null]);
    expect(watch.step(10)).toEqual({ flopsPerSecond: 100_000, steps: 1 });
    expect(watch.step(30)).toEqual({ flopsPerSecond: 50_000, steps: 2 });
    watch.stretch();
    expect(watch.step(4000)).toEqual({ flopsPerSecond: 50_000, steps: 2 });
    for (let i = 0; i < 2000; i++) watch.step(5);
    const settled = watch.step(5);
    expect(settled?.steps).toBe(50);
    expect(settled?.flopsPerSecond).toBeCloseTo(200_000, 3);
  });

  it('is read from stored text only if it is one', () => {
    const good = { flopsPerSecond: 1e9, steps: 4 };
    expect(checkSpeeds({ a: good, b: { flopsPerSecond: 'fast', steps: 1 }, c: null, d: { flopsPerSecond: 0, steps: 1 } })).toEqual({
      a: good,
    });
    expect(checkSpeeds(3)).toBeUndefined();
  });

  it('comes from the events of a run, by device, and is kept', async () => {
    const device = { vendor: 'v', architecture: 'a', description: 'd', software: false };
    const config = { ...DEFAULTS, batchSize: 2, seqLen: 32 };
    useRunStore.setState({ run: newRun('r', config) });
    const stored = new Map<string, string>();
    vi.stubGlobal('localStorage', { setItem: (key: string, value: string) => stored.set(key, value) });
    const measure = (event: unknown, runId = 'r') => noteSpeed(runId, event as RunEvent);
    await measure({ type: 'prepared', prepared: { shape: BUILTIN.shape, device } });
    for (const stepMs of [80, 70, 60, 20, 20]) await measure({ type: 'step', metrics: { stepMs } });
    await measure({ type: 'step', metrics: { stepMs: 1 } }, 'other');
    await measure({ type: 'eval', step: 5, loss: 1, targets: 1 });
    const speed = { flopsPerSecond: (stepFlopsOf(BUILTIN.shape, config) * 1000) / 20, steps: 2 };
    expect(useSpeedStore.getState().speeds).toEqual({ [deviceKey(device)]: speed });
    expect(JSON.parse(stored.get('lisa-studio.speed') ?? '')).toEqual({ [deviceKey(device)]: speed });
    useRunStore.setState({ run: null });
  });
});
