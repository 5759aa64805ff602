import { describe, expect, it } from 'vitest';
import { DEFAULTS } from '../config';
import { DEFAULT_LIMITS } from '../gpu/device';
import { newRun, type Run } from '../store/run';
import { ACTIONS, actionOfKey, type ActionId, type ActionState } from './actions';
import { setupOf } from './setup-state';

const device = {
  status: 'ready',
  device: { vendor: 'v', architecture: 'a', description: 'd', software: false },
  limits: DEFAULT_LIMITS,
  features: [],
} as const;
const setup = setupOf(DEFAULTS, { modelKind: 'builtin', local: null, dataKind: 'builtin', file: null }, device);
const state = (run: Partial<Run> | null): ActionState => ({
  setup,
  run: run && { ...newRun('a', DEFAULTS), ...run },
  view: run ? 'run' : 'setup',
  device,
  resumable: null,
});
const enabled = (s: ActionState): ActionId[] => (Object.keys(ACTIONS) as ActionId[]).filter((id) => ACTIONS[id].enabled(s));

describe('actions', () => {
  it('offers what each state allows', () => {
    expect(enabled(state(null))).toEqual(['start', 'startPaused', 'reopen']);
    expect(enabled(state({ phase: 'loading' }))).toEqual(['stop', 'discard']);
    expect(enabled(state({ phase: 'training' }))).toEqual(['pause', 'stop', 'discard']);
    expect(enabled(state({ phase: 'training', step: 3 }))).toEqual(['pause', 'stop', 'discard', 'save', 'verify']);
    expect(enabled(state({ phase: 'training', asked: 'stop' }))).toEqual(['discard']);
    expect(enabled(state({ phase: 'paused' }))).toEqual(['continue', 'step', 'stop', 'discard']);
    expect(enabled(state({ phase: 'paused', asked: 'step' }))).toEqual(['stop', 'discard']);
    expect(enabled(state({ phase: 'done' }))).toEqual(['start', 'startPaused', 'download', 'downloadDelta', 'settings', 'reopen']);
    expect(enabled(state({ phase: 'failed' }))).toEqual(['start', 'startPaused', 'settings', 'reopen']);
  });

  it('keys do what their button would, and nothing when it would not', () => {
    expect(actionOfKey(' ', state({ phase: 'training' }))?.id).toBe('pause');
    expect(actionOfKey(' ', state({ phase: 'paused' }))?.id).toBe('continue');
    expect(actionOfKey('S', state({ phase: 'paused' }))?.id).toBe('step');
    expect(actionOfKey('s', state({ phase: 'training' }))).toBeUndefined();
    expect(actionOfKey(' ', state(null))).toBeUndefined();
  });
});
