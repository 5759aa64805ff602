import { beforeEach, expect, test, vi } from 'vitest';
import { DEFAULTS } from '../../config/run-config';
import { setPreference } from '../preferences';
import { checkBattery, followPhase, usePower, type Battery } from './power';
import { newRun, useRunStore, type Run } from './run';

const battery = (level: number, charging = false): Battery => ({ level, charging, addEventListener: vi.fn() });
const inPhase = (phase: Run['phase']): void => useRunStore.setState({ run: { ...newRun('a', DEFAULTS), phase } });
const asked = () => useRunStore.getState().run?.asked;

beforeEach(() => {
  usePower.setState({ battery: null, pausedAt: null, spoken: false });
  setPreference({ batteryPause: true });
  inPhase('training');
});

test('a run that trains is paused below a fifth, and says at what level', () => {
  usePower.setState({ battery: battery(0.21) });
  checkBattery();
  expect(asked()).toBeNull();
  usePower.setState({ battery: battery(0.19) });
  checkBattery();
  expect([asked(), usePower.getState().pausedAt]).toEqual(['pause', 0.19]);
});

test('not while it charges, not where nobody wants it, and not a run that does not train', () => {
  usePower.setState({ battery: battery(0.05, true) });
  checkBattery();
  usePower.setState({ battery: battery(0.05) });
  setPreference({ batteryPause: false });
  checkBattery();
  setPreference({ batteryPause: true });
  inPhase('evaluating');
  checkBattery();
  expect([asked(), usePower.getState().pausedAt]).toEqual([null, null]);
});

test('a person who resumes anyway is left alone until the battery has been charged', () => {
  usePower.setState({ battery: battery(0.19) });
  checkBattery();
  inPhase('training');
  followPhase('paused');
  // A later pause by the person does not count as the battery's.
  expect([asked(), usePower.getState().pausedAt]).toEqual([null, null]);
  usePower.setState({ battery: battery(0.19, true) });
  checkBattery();
  usePower.setState({ battery: battery(0.19) });
  checkBattery();
  expect(asked()).toBe('pause');
});
