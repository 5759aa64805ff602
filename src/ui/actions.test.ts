import { describe, expect, it } from 'vitest';
import { DEFAULTS } from '../config/run-config';
import { DEFAULT_LIMITS } from '../dispatch/limits';
import { newRun, type Run } from '../store/run/run';
import { ACTIONS, actionOfKey, SHORTCUTS, type ActionId, type ActionState } from './actions';
import { useSourcesStore } from '../store/setup/sources';
import { setupOf } from './setup-state';

const device = {
  status: 'ready',
  device: { vendor: 'v', architecture: 'a', description: 'd', software: false },
  limits: DEFAULT_LIMITS,
  features: [],
} as const;
const setup = setupOf(DEFAULTS, useSourcesStore.getInitialState(), device);
const state = (run: Partial<Run> | null): ActionState => ({
  setup,
  run: run && { ...newRun('a', DEFAULTS), ...run },
  view: run ? 'run' : 'setup',
  device,
  resumable: null,
});
const enabled = (s: ActionState): ActionId[] => (Object.keys(ACTIONS) as ActionId[]).filter((id) => ACTIONS[id].enabled(s));

const always: ActionId[] = ['help'];

describe('actions', () => {
  it('offers what each state allows', () => {
    expect(enabled(state(null))).toEqual(['start', 'startPaused', 'reopen', ...always]);
    expect(enabled(state({ phase: 'loading' }))).toEqual(['stop', 'stopKeep', 'stopDownload', 'discard', ...always]);
    expect(enabled(state({ phase: 'training' }))).toEqual(['pause', 'stop', 'stopKeep', 'stopDownload', 'discard', ...always]);
    for (const phase of ['evaluating', 'sampling', 'saving'] as const) expect(enabled(state({ phase })), phase).toContain('pause');
    expect(enabled(state({ phase: 'sampling', asked: 'pause' }))).not.toContain('pause');
    expect(enabled(state({ phase: 'training', step: 3 }))).toEqual(expect.arrayContaining(['pause', 'save', 'verify', 'stop', 'discard']));
    expect(enabled(state({ phase: 'training', asked: 'stop' }))).toEqual(['discard', ...always]);
    expect(enabled(state({ phase: 'paused' }))).toEqual(expect.arrayContaining(['continue', 'step', 'stop', 'discard']));
    expect(enabled(state({ phase: 'paused', asked: 'step' }))).toEqual(['stop', 'stopKeep', 'stopDownload', 'discard', ...always]);
    expect(enabled(state({ phase: 'done' }))).toEqual(
      expect.arrayContaining(['start', 'startPaused', 'compare', 'download', 'downloadDelta', 'settings', 'reopen']),
    );
    expect(enabled(state({ phase: 'failed' }))).toEqual(['start', 'startPaused', 'settings', 'reopen', ...always]);
  });

  it('has nothing to prove where everything trains', () => {
    const full = { ...DEFAULTS, method: 'full' as const };
    expect(enabled(state({ phase: 'training', step: 3, config: full }))).not.toContain('verify');
  });

  it('offers a way on after a checkpoint that could not be written', () => {
    const saveError = { code: 'STORAGE', detail: 'd', remedy: 'r' } as const;
    expect(enabled(state({ phase: 'paused', step: 3, saveError }))).toEqual(expect.arrayContaining(['saveAgain', 'goOnUnsaved']));
    expect(enabled(state({ phase: 'paused', step: 3, saveError, asked: 'save' }))).not.toContain('goOnUnsaved');
    expect(enabled(state({ phase: 'paused', step: 3 }))).not.toContain('saveAgain');
  });

  it('goes on by itself only where every file is there', () => {
    const resumable = { runId: 'b', step: 3, steps: 9, config: DEFAULTS, needsModel: null, needsDownload: null };
    expect(enabled({ ...state(null), resumable })).toEqual(expect.arrayContaining(['resume', 'forget']));
    expect(enabled({ ...state(null), resumable: { ...resumable, needsModel: 'folder' } })).not.toContain('resume');
  });
});

describe('keys', () => {
  it('do what their button would, and nothing when it would not', () => {
    expect(actionOfKey(' ', state({ phase: 'training' }))?.id).toBe('pause');
    expect(actionOfKey(' ', state({ phase: 'paused' }))?.id).toBe('continue');
    expect(actionOfKey('S', state({ phase: 'paused' }))?.id).toBe('step');
    expect(actionOfKey('s', state({ phase: 'training' }))).toBeUndefined();
    expect(actionOfKey('c', state({ phase: 'training', step: 1 }))?.id).toBe('save');
    expect(actionOfKey(' ', state(null))).toBeUndefined();
  });

  it('are all listed, each once, with what they do', () => {
    expect(SHORTCUTS.map(({ name }) => name)).toEqual(expect.arrayContaining(['Space', 'S', 'C', 'V', 'X', '?']));
    expect(new Set(SHORTCUTS.map(({ key }) => key)).size).toBe(SHORTCUTS.length);
    for (const { name, what } of SHORTCUTS) expect(what, name).not.toBe('');
    expect(SHORTCUTS.find(({ name }) => name === 'Space')?.what).toBe('Pause · Continue');
  });
});
