// The stores, started as the page starts them: in which order, and which of them hears of which event.

import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { StoreApi } from 'zustand';
import { importanceProfile } from '../testing/importance';
import { preparedOf, runConfig, runEvents } from '../testing/run-events';
import type { RunEvent } from '../train/events';
import { decodeRecording } from '../train/recording';
import type { Command, Event } from '../worker/protocol';
import type { RunRecord } from './history/record';
import { useHistoryStore } from './history/history';
import { reopenDevice } from './run/actions';
import { askBoth, useCompareStore } from './run/compare';
import { useDeviceStore } from './run/device';
import { useLog } from './run/log';
import { resetMetrics, runMetrics } from './run/metrics';
import { useDeviceCheck } from './run/device-check';
import { useFinishedStore } from './run/finished';
import { newRun, patchExport, useRunStore } from './run/run';
import { prove, useProofStore } from './run/proof';
import { useSpeedStore } from './run/speed';
import { useConfigStore } from './setup/config';
import { lookAt, useHubStore } from './setup/hub';
import { measure, useImportanceStore } from './setup/importance';
import { useInspectStore } from './setup/inspect';
import { chooseModel } from './setup/local-model';
import { useSourcesStore } from './setup/sources';
import { startStores } from './start';

/** What the worker was told, and the page's end of its events. */
const { sent, worker, records } = vi.hoisted(() => {
  // Files share their modules: an earlier one may have the real link already.
  vi.resetModules();
  const receiver = { receive: null as ((event: Event) => void) | null };
  return { sent: [] as Command[], worker: receiver, records: new Map<string, RunRecord>() };
});
vi.mock('./link', () => ({
  connect: (receive: (event: Event) => void) => (worker.receive = receive),
  send: (command: Command) => worker.receive && sent.push(command),
  // What the old worker was told is lost.
  restartWorker: () => sent.splice(0),
}));
vi.mock('./history/storage', () => ({
  browserStorage: () => ({
    summaries: () => Promise.resolve([]),
    record: (runId: string) => Promise.resolve(records.get(runId)),
    write: (_: unknown, record: RunRecord) => Promise.resolve(void records.set(record.runId, record)),
  }),
}));

const STORES = {
  finished: useFinishedStore,
  deviceCheck: useDeviceCheck,
  device: useDeviceStore,
  run: useRunStore,
  log: useLog,
  speed: useSpeedStore,
  compare: useCompareStore,
  inspect: useInspectStore,
  importance: useImportanceStore,
  proof: useProofStore,
  sources: useSourcesStore,
  hub: useHubStore,
} satisfies Record<string, Pick<StoreApi<unknown>, 'subscribe'>>;

const error = { code: 'INTERNAL', detail: 'd', remedy: 'r' } as const;

const tell = (event: Event): void => worker.receive?.(event);
/** Names of the stores in the order in which the event first changed them. */
function changedBy(event: Event): string[] {
  const changed = new Set<string>();
  const ends = Object.entries(STORES).map(([name, store]) => store.subscribe(() => changed.add(name)));
  tell(event);
  ends.forEach((end) => end());
  return [...changed];
}
const lastId = (type: 'measure' | 'inspect' | 'examine' | 'compare' | 'preflight'): number => {
  const asked = sent.findLast((command) => command.type === type);
  if (!asked || !('id' in asked)) throw new Error(`${type} was not asked`);
  return asked.id;
};
const begin = (runId: string, config = runConfig()): void => {
  resetMetrics(config.method === 'lisa' ? config.stepsPerPeriod : null);
  useRunStore.setState({ run: newRun(runId, config), view: 'run' });
};

let stop = (): void => undefined;
function start(hash = ''): void {
  vi.stubGlobal('location', { hash, pathname: '/', search: '', origin: 'http://localhost' });
  stop = startStores();
}

beforeEach(() => {
  vi.useFakeTimers();
  for (const store of [...Object.values(STORES), useConfigStore, useHistoryStore] as StoreApi<object>[])
    store.setState(store.getInitialState(), true);
  worker.receive = null;
  sent.length = 0;
  records.clear();
  vi.stubGlobal('addEventListener', vi.fn());
  vi.stubGlobal('removeEventListener', vi.fn());
  vi.stubGlobal('navigator', { gpu: {} });
  vi.stubGlobal('history', { state: null, replaceState: vi.fn(), pushState: vi.fn() });
  vi.stubGlobal('document', { baseURI: 'http://localhost/', documentElement: { dataset: {} }, createElement: () => ({ click: vi.fn() }) });
  vi.stubGlobal('fetch', () => Promise.reject(new Error('there is no hub.json')));
});
afterEach(() => {
  stop();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('the order of the start', () => {
  it('the device is asked for first, then the hub is named, then the preview of what the link says is asked for, once', async () => {
    start('#seqLen=48&steps=7');
    expect(sent.map(({ type }) => type)).toEqual(['open']);
    await vi.advanceTimersByTimeAsync(2000);
    expect(sent.map(({ type }) => type)).toEqual(['open', 'hub', 'inspect']);
    expect(sent.at(-1)).toMatchObject({ config: { seqLen: 48, steps: 7 } });
  });

  it('a worker that has opened its device learns the pace and is asked which models there are', () => {
    start();
    tell({ type: 'opened', device: preparedOf(runConfig()).device, limits: {} as never, features: [] });
    expect(sent.map(({ type }) => type)).toEqual(['open', 'pace', 'listModels']);
  });
});

it('a fresh worker after a lost device learns the hub, what is asked of it, and the folder that the old one was reading', async () => {
  start();
  await vi.advanceTimersByTimeAsync(2000);
  chooseModel('folder', []);
  lookAt('org/name');
  tell({ type: 'refused', error });
  reopenDevice();
  expect(sent.map(({ type }) => type)).toEqual(['open', 'examine', 'hub', 'preflight']);
});

describe('a run', () => {
  it('the recorded one reaches the charts, the log, the run, the speed, the comparison and the history', async () => {
    start();
    const { config, events } = decodeRecording(readFileSync('public/recorded/run.json', 'utf8'));
    begin('recorded', config);
    for (const { event } of events) {
      tell({ type: 'run', runId: 'recorded', event });
      // The stopwatch loads what it needs when the run is prepared.
      if (event.type === 'prepared') await vi.dynamicImportSettled();
    }
    const of = <T extends RunEvent['type']>(type: T) =>
      events.flatMap(({ event }) => (event.type === type ? [event as Extract<RunEvent, { type: T }>] : []));
    await vi.advanceTimersByTimeAsync(1000);
    expect([...runMetrics().step.values()]).toEqual(of('step').map(({ metrics }) => metrics.step));
    expect(runMetrics().moves).toHaveLength(of('moved').length);
    const { run } = useRunStore.getState();
    expect(run).toMatchObject({ phase: 'done', step: config.steps, prepared: of('prepared')[0].prepared, report: of('done')[0].report });
    expect(run?.samples).toEqual(of('sample').map(({ sample }) => sample));
    expect(run?.evals).toHaveLength(of('eval').length);
    const logged = useLog.getState().lines.map(({ event }) => event.type);
    expect(logged.filter((type) => type !== 'phase')).toEqual(
      events.map(({ event }) => event.type).filter((type) => type !== 'phase' && type !== 'step' && type !== 'moved'),
    );
    expect(Object.values(useSpeedStore.getState().speeds)).toMatchObject([{ steps: 50 }]);
    expect(useCompareStore.getState()).toMatchObject({ runId: 'recorded', seed: config.seed });
    expect(records.get('recorded')).toMatchObject({ status: 'done', step: config.steps });
  });

  it('the stopwatch and the log hear of an event before the run does', async () => {
    start();
    const { config, events } = runEvents();
    begin('a', config);
    for (const event of events.slice(0, 12)) {
      tell({ type: 'run', runId: 'a', event });
      if (event.type === 'prepared') await vi.dynamicImportSettled();
    }
    // Step 5 has come, and waits for the charts' next tenth of a second.
    expect(useRunStore.getState().run?.step).toBe(4);
    expect(changedBy({ type: 'run', runId: 'a', event: { type: 'checkpoint', step: 5 } })).toEqual(['speed', 'log', 'run']);
    expect(useLog.getState().lines.at(-1)).toMatchObject({ step: 4, event: { type: 'checkpoint', step: 5 } });
    expect(useRunStore.getState().run).toMatchObject({ step: 5, savedStep: 5 });
  });

  const events: { readonly [T in RunEvent['type']]: readonly [Extract<RunEvent, { type: T }>, readonly string[]] } = {
    phase: [{ type: 'phase', phase: 'training' }, ['log', 'run']],
    prepared: [{ type: 'prepared', prepared: preparedOf(runConfig()) }, ['log', 'run']],
    eval: [{ type: 'eval', step: 0, loss: 4, targets: 1 }, ['log', 'run']],
    sample: [{ type: 'sample', sample: { when: 'before', step: 0, prompt: '', text: '' } }, ['log', 'run']],
    // These two reach the charts, which are not a store: the test above counts them.
    step: [runEvents().events.find((event) => event.type === 'step')!, []],
    moved: [{ type: 'moved', step: 1, period: 0, layers: [] }, []],
    importance: [{ type: 'importance', period: 0, layers: [1], weights: [0.5, 0.5] }, ['run']],
    verified: [{ type: 'verified', step: 1, frozen: [], changed: [] }, ['log', 'run']],
    rounded: [{ type: 'rounded', step: 1, rounding: { layers: [], before: 4, after: 4 } }, ['log', 'run']],
    checkpoint: [{ type: 'checkpoint', step: 1 }, ['log', 'run']],
    saveFailed: [{ type: 'saveFailed', step: 1, error }, ['log', 'run']],
    done: [runEvents().events.find((event) => event.type === 'done')!, ['log', 'run']],
    failed: [{ type: 'failed', error, savedStep: null }, ['log', 'run']],
  };
  it.each(Object.values(events))('$type reaches its stores', (event, stores) => {
    start();
    begin('each');
    expect(changedBy({ type: 'run', runId: 'each', event })).toEqual(stores);
  });
});

describe('what else the worker says', () => {
  type Other = Exclude<Event['type'], 'run'>;
  const model = { kind: 'hub', hub: 'https://hub', repo: 'org/name', revision: 'main', commit: 'c' } as const;
  const others: { readonly [T in Other]: readonly [() => Omit<Extract<Event, { type: T }>, 'type'>, readonly string[]] } = {
    alive: [() => ({}), []],
    opened: [() => ({ device: preparedOf(runConfig()).device, limits: {} as never, features: [] }), ['device']],
    speed: [() => ({ flopsPerSecond: 1e9 }), ['device']],
    checkingDevice: [() => ({ fraction: 0.5, what: 'a product' }), ['deviceCheck']],
    deviceChecked: [() => ({ report: {} as never }), ['deviceCheck']],
    deviceCheckFailed: [() => ({ error }), ['deviceCheck']],
    refused: [() => ({ error }), ['device']],
    resumable: [() => ({ runId: 'old', step: 1, steps: 2, config: runConfig(), needsModel: null, needsDownload: null }), ['device']],
    finished: [() => ({ runs: [] }), ['finished']],
    keepFailed: [() => ({ runId: 'ended', error }), ['finished']],
    reopening: [() => ({ runId: 'ended', fraction: 0.5 }), ['finished']],
    exported: [() => ({ what: 'model', files: [] }), ['run']],
    exportFailed: [() => ({ what: 'delta', error }), ['run']],
    closed: [() => ({ runId: 'ended' }), ['run']],
    reply: [() => ({ id: lastId('compare'), side: 'base', text: 't', tokens: 1, done: true }), ['compare']],
    compareFailed: [() => ({ id: lastId('compare'), error }), ['compare']],
    inspecting: [() => ({ id: lastId('inspect'), fraction: 0.5, head: null }), ['inspect']],
    inspected: [() => ({ id: lastId('inspect'), preview: { refusal: null } as never }), ['inspect']],
    inspectFailed: [() => ({ id: lastId('inspect'), error }), ['inspect']],
    proving: [() => ({ runId: 'ended', what: 'A short run', fraction: 0.5 }), ['proof']],
    proved: [() => ({ runId: 'ended', lines: [] }), ['proof']],
    proveFailed: [() => ({ runId: 'ended', error }), ['proof']],
    measuring: [() => ({ id: lastId('measure'), progress: { phase: 'lora', done: 1, of: 3 } }), ['importance']],
    measured: [() => ({ id: lastId('measure'), profile: importanceProfile() }), ['importance']],
    measureFailed: [() => ({ id: lastId('measure'), error }), ['importance']],
    // What is known of a model is one of the set-up's sources; the preview of the data waits for it.
    examined: [() => ({ id: lastId('examine'), facts: {} as never }), ['inspect', 'sources']],
    examineFailed: [() => ({ id: lastId('examine'), error }), ['sources']],
    preflight: [() => ({ id: lastId('preflight'), preflight: { model } as never }), ['hub', 'sources']],
    preflightFailed: [() => ({ id: lastId('preflight'), error }), ['hub', 'sources']],
    download: [() => ({ download: { model, phase: 'paused' } as never }), ['hub']],
    models: [() => ({ models: [], storage: { usage: null, quota: null, persisted: false } }), ['hub']],
    modelsFailed: [() => ({ error }), ['hub']],
  };
  /** What the page must have asked before the event means anything to it. */
  const asked: Partial<Record<Other, () => void>> = {
    proving: () => prove('ended'),
    proved: () => prove('ended'),
    proveFailed: () => prove('ended'),
    measuring: () => measure(3),
    measured: () => measure(3),
    measureFailed: () => measure(3),
    reply: () => askBoth('Hello'),
    compareFailed: () => askBoth('Hello'),
    examined: () => chooseModel('folder', []),
    examineFailed: () => chooseModel('folder', []),
    preflight: () => lookAt('org/name'),
    preflightFailed: () => lookAt('org/name'),
    exported: () => patchExport('model', 'asked'),
    exportFailed: () => patchExport('delta', 'asked'),
  };

  it.each(Object.keys(others) as Other[])('%s reaches its stores', async (type) => {
    start();
    begin('ended');
    useRunStore.setState(({ run }) => ({ run: run && { ...run, phase: 'done' }, view: 'setup' }));
    asked[type]?.();
    await vi.advanceTimersByTimeAsync(1000);
    const [fields, stores] = others[type];
    expect(changedBy({ type, ...fields() } as Event).sort()).toEqual(stores);
  });
});
