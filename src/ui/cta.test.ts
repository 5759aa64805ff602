import { describe, expect, it } from 'vitest';
import { configFaults, DEFAULTS } from '../config/run-config';
import { DEFAULT_LIMITS } from '../dispatch/limits';
import type { DeviceState } from '../store/run/device';
import type { LookState } from '../store/setup/hub';
import { NO_FINDINGS, startState } from './cta';
import { BUILTIN } from './known-models';

const ready: DeviceState = {
  status: 'ready',
  device: { vendor: 'v', architecture: 'a', description: 'd', software: false },
  limits: DEFAULT_LIMITS,
  features: [],
};
const builtin = { modelKind: 'builtin', local: null, hub: { status: 'none' }, dataKind: 'builtin', file: null } as const;
const facts = { shape: BUILTIN.shape, parameters: 1, dtypes: { f32: 1, f16: 0, bf16: 0 }, types: 'f32' as const, files: [], bytes: 4 };
const folder = { name: 'm', files: [], facts, error: null };

describe('startState', () => {
  it('starts with the defaults', () => {
    expect(configFaults(DEFAULTS, BUILTIN.shape)).toEqual([]);
    expect(startState('lisa', ready, builtin, [])).toEqual({ label: 'Start LISA', ready: true, focus: null });
    expect(startState('full', ready, builtin, []).label).toBe('Start full fine-tuning');
  });

  it('says what is missing, the device first', () => {
    const error = { code: 'NO_WEBGPU', detail: '', remedy: '' } as const;
    expect(startState('lisa', { status: 'unavailable', error }, builtin, []).label).toBe('No GPU to train on');
    expect(startState('lisa', ready, { ...builtin, modelKind: 'local' }, [])).toMatchObject({
      label: 'Choose a model folder',
      focus: 'model',
    });
    const broken = { ...folder, facts: null, error: { code: 'MODEL_CONFIG', detail: '', remedy: '' } as const };
    expect(startState('lisa', ready, { ...builtin, modelKind: 'local', local: broken }, []).label).toBe('Choose another model folder');
    const reading = { ...folder, facts: null };
    expect(startState('lisa', ready, { ...builtin, modelKind: 'local', local: reading }, []).ready).toBe(false);
    expect(startState('lisa', ready, { ...builtin, dataKind: 'file' }, [])).toMatchObject({ label: 'Choose a data file', ready: false });
    expect(startState('lisa', { status: 'opening' }, builtin, []).ready).toBe(false);
  });

  it('asks for the look, then for the download of a model of a hub', () => {
    const model = { kind: 'hub', hub: 'https://h', repo: 'a/b', revision: 'main', commit: '0'.repeat(40) } as const;
    const preflight = { ...facts, model, cachedBytes: 0, whole: false, licence: null, gated: false };
    const label = (hub: LookState): string => startState('lisa', ready, { ...builtin, modelKind: 'hub', hub }, []).label;
    expect(label({ status: 'none' })).toBe('Look up a model first');
    expect(label({ status: 'looking', id: 1, repo: 'a/b', revision: 'main' })).toBe('Looking up the model…');
    expect(label({ status: 'known', preflight })).toBe('Download the model first');
    const coming = { ...NO_FINDINGS, downloading: true };
    const known = { ...builtin, modelKind: 'hub', hub: { status: 'known', preflight } } as const;
    expect(startState('lisa', ready, known, [], coming)).toMatchObject({ label: 'Downloading the model…', ready: false });
    expect(label({ status: 'known', preflight: { ...preflight, whole: true } })).toBe('Start LISA');
    expect(label({ status: 'failed', error: { code: 'HUB_GATED', detail: '', remedy: '' } })).toBe('Look up another model');
  });

  it('names the option at fault and where to look', () => {
    const faults = configFaults({ ...DEFAULTS, lisaLayers: 9 }, BUILTIN.shape);
    expect(startState('lisa', ready, builtin, faults)).toEqual({ label: 'Fix γ', ready: false, focus: 'lisaLayers' });
    const local = { ...builtin, modelKind: 'local', local: folder } as const;
    expect(startState('lisa', ready, local, configFaults({ ...DEFAULTS, lr: NaN })).label).toBe('Fix the learning rate');
  });

  it('says what was found out ahead of the run, and lets a budget be exceeded', () => {
    const found = (findings: Partial<typeof NO_FINDINGS>) => startState('lisa', ready, builtin, [], { ...NO_FINDINGS, ...findings });
    expect(found({ data: 'failed' })).toEqual({ label: 'Fix the data', ready: false, focus: 'data' });
    expect(found({ data: 'empty' })).toMatchObject({ label: 'Choose data with tokens to learn', focus: 'data' });
    const limit = { what: 'its embedding', bytes: 2, limit: 1, kind: 'buffer', grows: 'model' } as const;
    expect(found({ limit })).toEqual({ label: 'Too large for this device', ready: false, focus: 'model' });
    expect(found({ limit: { ...limit, grows: 'batch' } }).focus).toBe('batchSize');
    expect(found({ verdict: 'exceeds' })).toEqual({ label: 'Start LISA anyway', ready: true, focus: null });
    expect(found({ verdict: 'tight' }).label).toBe('Start LISA');
    // A setting at fault comes first: the rest was found out for other settings.
    const faults = configFaults({ ...DEFAULTS, steps: 0 }, BUILTIN.shape);
    expect(startState('lisa', ready, builtin, faults, { ...NO_FINDINGS, data: 'failed' }).label).toBe('Fix the steps');
  });
});
