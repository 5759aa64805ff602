import { afterEach, expect, it } from 'vitest';
import { pin, pointAt, resetCrosshair, stepOfKey, useCrosshair } from './crosshair';

afterEach(resetCrosshair);

it('arrow keys move by one, by ten with shift, and stay within the run', () => {
  const key = (name: string, step: number | null, shift = false) => stepOfKey(name, shift, step, 60, 100);
  expect(key('ArrowLeft', null)).toBe(59);
  expect(key('ArrowRight', 20)).toBe(21);
  expect(key('ArrowRight', 20, true)).toBe(30);
  expect(key('ArrowLeft', 3, true)).toBe(0);
  expect(key('ArrowRight', 100)).toBe(100);
  expect([key('Home', 20), key('End', 20), key('Escape', 20), key('a', 20)]).toEqual([0, 60, null, undefined]);
});

it('pointing at the same step again tells nobody', () => {
  let told = 0;
  const end = useCrosshair.subscribe(() => told++);
  pointAt(5);
  pointAt(5);
  pointAt(null);
  end();
  expect(told).toBe(2);
});

it('a band is pinned, replaced, and let go when it is pinned again', () => {
  const band = { period: 1, from: 5, to: 10 };
  pin(band);
  expect(useCrosshair.getState().pinned).toEqual(band);
  pin({ period: 2, from: 10, to: 15 });
  expect(useCrosshair.getState().pinned?.period).toBe(2);
  pin({ period: 2, from: 10, to: 15 });
  expect(useCrosshair.getState().pinned).toBeNull();
});
