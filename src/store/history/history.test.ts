import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RunConfig } from '../../config/run-config';
import { runConfig, runEvents, type RunEventsOptions } from '../../testing/run-events';
import { useDeviceStore } from '../run/device';
import { readRunFile, writeRunFile } from './file';
import { memorableName, metricsUpTo, pastRun, roomTaken, type RunRecord, type RunSummary } from './record';
import * as history from './history';
import type { HistoryStorage } from './storage';
import { resetMetrics, runMetrics } from '../run/metrics';
import { newRun, useRunStore } from '../run/run';
import { route } from '../route';

/** Stands in for IndexedDB, in memory: values are cloned as IndexedDB clones them. `full`: every write fails. */
function memoryStorage() {
  const summaries = new Map<string, RunSummary>();
  const records = new Map<string, RunRecord>();
  let full = false;
  const check = (): void => {
    if (full) throw new DOMException('no space', 'QuotaExceededError');
  };
  const place: HistoryStorage = {
    summaries: () => Promise.resolve([...summaries.values()]),
    record: (runId) => Promise.resolve(records.get(runId)),
    write: async (summary, record) => {
      check();
      summaries.set(summary.runId, structuredClone(summary));
      records.set(record.runId, structuredClone(record));
      return Promise.resolve();
    },
    writeSummary: async (summary) => {
      check();
      summaries.set(summary.runId, structuredClone(summary));
      return Promise.resolve();
    },
    remove: (runId) => Promise.resolve(void (summaries.delete(runId), records.delete(runId))),
    removeAll: () => Promise.resolve(void (summaries.clear(), records.clear())),
  };
  return { place, summaries, records, fill: () => (full = true) };
}

const NOON = Date.UTC(2026, 10, 24, 12);
let memory = memoryStorage();
let disconnect = (): void => undefined;
/** Resolves when everything asked of the storage so far is done; that needs no timer. */
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));
const store = () => history.useHistoryStore.getState();

function begin(runId: string, config: RunConfig): void {
  resetMetrics(config.method === 'lisa' ? config.stepsPerPeriod : null);
  useRunStore.setState({ run: newRun(runId, config) });
}

function play(runId: string, options: RunEventsOptions = {}): void {
  const { config, events } = runEvents(options);
  begin(runId, config);
  for (const event of events) route({ type: 'run', runId, event });
}

beforeEach(async () => {
  vi.useFakeTimers({ now: NOON, toFake: ['Date'] });
  useRunStore.setState({ run: null });
  useDeviceStore.setState({ resumable: null });
  memory = memoryStorage();
  disconnect = history.watchHistory(memory.place);
  await settled();
});

afterEach(() => {
  disconnect();
  vi.useRealTimers();
});

describe('what is recorded', () => {
  it('a run that ends is kept with everything that its panels show', async () => {
    play('a');
    await settled();
    const record = memory.records.get('a')!;
    expect(record).toMatchObject({ status: 'done', step: 12, startedAt: NOON, evals: [{ loss: 4.5 }, { loss: 3.25 }], savedStep: 12 });
    expect(record.metrics.columns.step).toEqual(Float64Array.from({ length: 12 }, (_, i) => i + 1));
    expect(pastRun(record)).toEqual({ ...useRunStore.getState().run, exported: newRun(record.runId, record.config).exported });
    const [summary] = store().runs;
    expect(summary).toMatchObject({ runId: 'a', status: 'done', firstEval: { step: 0 }, lastEval: { step: 12, loss: 3.25 } });
    expect(summary.peakBytes).toBe(record.report?.memory.peak.total);
    expect(summary.trainingMs).toBeCloseTo(12 * 30 + 78 / 3, 9);
    expect(summary.spark).toHaveLength(12);
    // Twelve steps of so many columns, and the text around them.
    const numbers = 12 * 8 * Object.keys(record.metrics.columns).length;
    expect(summary.bytes).toBeGreaterThan(numbers + 1000);
    expect(summary.bytes).toBeLessThan(JSON.stringify(record).length + numbers);
    expect(roomTaken([summary, summary])).toEqual({ bytes: 2 * summary.bytes!, whole: true });
    const { bytes: _, ...older } = summary;
    expect(roomTaken([summary, older])).toEqual({ bytes: summary.bytes, whole: false });
    expect(summary.name).toBe(memorableName(record.config, NOON));
    expect(summary.name).toMatch(/^LISA γ1 K3, 24 Nov \d\d:\d\d$/);
  });

  it('a live run is kept at its checkpoints, as unfinished', async () => {
    play('a', { until: 9 });
    await settled();
    // The second checkpoint came within the same millisecond: the first one is what is there.
    expect(memory.records.get('a')).toMatchObject({ status: 'unfinished', step: 4, savedStep: 4 });
    vi.setSystemTime(NOON + 1000);
    route({ type: 'run', runId: 'a', event: { type: 'checkpoint', step: 9 } });
    await settled();
    expect(memory.records.get('a')).toMatchObject({ status: 'unfinished', step: 9, savedStep: 9 });
    expect(pastRun(memory.records.get('a')!).phase).toBe('failed');
  });

  it('a failed run is kept with its error; one without a step, or discarded, is not', async () => {
    const error = { code: 'GPU_OOM', detail: 'd', remedy: 'r' } as const;
    play('a', { until: 2 });
    route({ type: 'run', runId: 'a', event: { type: 'failed', error, savedStep: null } });
    play('b', { until: 0 });
    route({ type: 'run', runId: 'b', event: { type: 'failed', error, savedStep: null } });
    play('c', { until: 5 });
    await settled();
    expect([...memory.records.keys()]).toEqual(['a', 'c']);
    expect(memory.records.get('a')).toMatchObject({ status: 'failed', error });
    useRunStore.setState({ run: null });
    await settled();
    expect([...memory.records.keys()]).toEqual(['a']);
    expect(store().runs.map(({ runId }) => runId)).toEqual(['a']);
  });

  it('a full storage is reported, and the run continues', async () => {
    memory.fill();
    play('a');
    await settled();
    expect(useRunStore.getState().run).toMatchObject({ phase: 'done', error: null });
    expect(store()).toMatchObject({ runs: [], fault: { code: 'STORAGE' } });
    expect(store().fault?.detail).toContain('no more space');
  });
});

describe('a resumed run', () => {
  it('has its earlier steps, evaluations, samples and moves, and no step twice', async () => {
    play('a', { until: 9, config: { saveEvery: 8 } });
    await settled();
    // The page was closed after step 9; the checkpoint is of step 8. A new page:
    disconnect();
    useRunStore.setState({ run: null });
    disconnect = history.watchHistory(memory.place);
    vi.setSystemTime(NOON + 60_000);
    useDeviceStore.setState({ resumable: { runId: 'a', step: 8, steps: 12, config: runConfig(), needsModel: null, needsDownload: null } });
    await settled();
    play('a', { firstStep: 9, config: { saveEvery: 8 } });
    const metrics = runMetrics();
    expect([...metrics.step.values()]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(metrics.periods.map(({ firstStep, lastStep }) => [firstStep, lastStep])).toEqual([
      [1, 3],
      [4, 6],
      [7, 9],
      [10, 12],
    ]);
    expect(metrics.moves.map(({ period }) => period)).toEqual([0, 1, 2, 3]);
    const { run } = useRunStore.getState();
    expect(run).toMatchObject({ phase: 'done', prepared: { firstStep: 1 } });
    expect(run?.evals.map(({ step }) => step)).toEqual([0, 12]);
    expect(run?.samples.map(({ when }) => when)).toEqual(['before', 'after']);
    await settled();
    expect(memory.records.get('a')).toMatchObject({ status: 'done', startedAt: NOON, step: 12 });
    expect(store().runs).toHaveLength(1);
  });

  it('cuts a period that the checkpoint lies in', async () => {
    play('a');
    await settled();
    const cut = metricsUpTo(memory.records.get('a')!.metrics, 5);
    expect(cut.columns.loss).toHaveLength(5);
    expect(cut.periods.at(-1)).toMatchObject({ firstStep: 4, lastStep: 5, lastLoss: cut.columns.loss[4] });
    expect(cut.moves.map(({ period }) => period)).toEqual([0]);
  });
});

describe('on the screen', () => {
  it('a name that was given stays when the run is written again', async () => {
    play('a', { until: 5 });
    await settled();
    await history.renameRun('a', '  mine ');
    await history.renameRun('a', '   ');
    vi.setSystemTime(NOON + 1000);
    route({ type: 'run', runId: 'a', event: { type: 'checkpoint', step: 5 } });
    await settled();
    expect(memory.summaries.get('a')).toMatchObject({ name: 'mine', step: 5 });
  });

  it('a deleted run can be put back', async () => {
    play('a');
    await settled();
    const before = structuredClone(memory.records.get('a'));
    await history.deleteRun('a');
    expect(memory.records.size).toBe(0);
    expect(store().runs).toEqual([]);
    await history.undoDelete();
    expect(memory.records.get('a')).toEqual(before);
    expect(store().runs).toHaveLength(1);
    expect(store().removed).toBeNull();
  });

  it('at most six runs are compared', async () => {
    for (const [i, runId] of ['a', 'b', 'c', 'd', 'e', 'f', 'g'].entries()) {
      vi.setSystemTime(NOON + i * 60_000);
      play(runId);
    }
    await settled();
    expect(store().runs.map(({ runId }) => runId)).toEqual(['g', 'f', 'e', 'd', 'c', 'b', 'a']);
    history.showHistory();
    expect(store().selected).toEqual(['g', 'f']);
    for (const { runId } of store().runs.slice(2)) history.toggleSelected(runId);
    await settled();
    expect(store().selected).toEqual(['g', 'f', 'e', 'd', 'c', 'b']);
    expect(Object.keys(store().curves)).toHaveLength(6);
    history.toggleSelected('g');
    history.toggleSelected('a');
    await settled();
    expect(store().selected).toEqual(['f', 'e', 'd', 'c', 'b', 'a']);
    expect(store().curves.a.loss.length).toBe(12);
    expect(store().curves.g).toBeUndefined();
  });

  it('an opened run is a picture of its own', async () => {
    play('a');
    play('b', { config: { steps: 6 } });
    await settled();
    await history.openPast('a');
    expect(store().opened).toMatchObject({ kind: 'past', run: { runId: 'a', phase: 'done', step: 12 } });
    expect(store().opened?.metrics.step.length).toBe(12);
    expect(runMetrics().step.length).toBe(6);
  });
});

describe('files', () => {
  const exported = async (): Promise<{ name: string; json: string; record: RunRecord }> => {
    play('a');
    await settled();
    const record = memory.records.get('a')!;
    return { name: 'My run', record, json: writeRunFile({ name: 'My run', record }) };
  };

  it('a run comes back as it was, under another id if it is already there', async () => {
    const { name, json, record } = await exported();
    expect(readRunFile(json, 'run.json')).toEqual({ name, record });
    expect(await history.importRun({ name: 'run.json', text: () => Promise.resolve(json) })).toBe(true);
    expect(store().runs).toHaveLength(2);
    expect(new Set(store().runs.map(({ runId }) => runId)).size).toBe(2);
  });

  it('keeps NaN', async () => {
    const { record } = await exported();
    record.metrics.columns.gradNorm[3] = NaN;
    expect(readRunFile(writeRunFile({ name: 'n', record }), 'run.json').record.metrics.columns.gradNorm[3]).toBeNaN();
  });

  it('refuses what would break a panel, and says where', async () => {
    const { json } = await exported();
    type Loose = Record<string, unknown>;
    const broken = (change: (run: Loose & { metrics: { columns: Record<string, unknown[]> }; prepared: Loose }) => void): string => {
      const file = JSON.parse(json) as { run: Parameters<typeof change>[0] };
      change(file.run);
      return JSON.stringify(file);
    };
    const cases: readonly (readonly [string, RegExp])[] = [
      ['{', /not valid JSON/],
      ['[]', /the file is not an object/],
      [broken((run) => (run.status = 'good')), /run\.status is not one of done/],
      [broken((run) => run.metrics.columns.loss.pop()), /run\.metrics\.columns\.loss is not a list of 12/],
      [broken((run) => run.metrics.columns.step.reverse()), /ascending/],
      [broken((run) => (run.prepared.schedule = [{ period: 0, firstStep: 1, layers: [99] }])), /layers throughout/],
      [broken((run) => delete run.prepared.forecasts), /run\.prepared\.forecasts is not an object/],
      [broken((run) => ((run.config as Loose).steps = -1)), /run\.config\.steps is not a whole number/],
    ];
    for (const [text, message] of cases) expect(() => readRunFile(text, 'run.json')).toThrow(message);
    expect(await history.importRun({ name: 'bad.json', text: () => Promise.resolve('{}') })).toBe(false);
    expect(store().fault).toMatchObject({ code: 'DATASET_READ' });
    expect(store().runs).toHaveLength(1);
  });
});
