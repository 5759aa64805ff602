// Past runs: records the live run (at its checkpoints, and when it ends), gives a resumed run its earlier steps back,
// and holds the list. A storage error never reaches a run; the history's screen shows it.

import { create } from 'zustand';
import { AppError, errorInfo, type ErrorInfo } from '../../base/errors';
import { useDeviceStore } from '../run/device';
import { saveFile } from '../run/download';
import type { NamedRecord } from './file';
import { continued, memorableName, pastRun, recordOf, summaryOf, type RunRecord, type RunSummary } from './record';
import { browserStorage, type HistoryStorage } from './storage';
import { restoreMetrics, runMetrics, RunMetrics } from '../run/metrics';
import type { RunPicture } from '../run/picture';
import { adoptRun } from '../run/actions';
import { forgetModels, isUnstored, storedOf, useFinishedStore } from '../run/finished';
import { isActive, setView, useRunStore, type Run } from '../run/run';

/** The most runs whose curves are compared. */
export const MOST_SELECTED = 6;
/** The newest ones are selected until the person chooses. */
const FIRST_SELECTED = 2;

export interface HistoryStore {
  readonly status: 'loading' | 'ready';
  /** Newest first. */
  readonly runs: readonly RunSummary[];
  /** What went wrong last, in the storage or with a file. */
  readonly fault: ErrorInfo | null;
  /** The run that was deleted last; it can be put back. */
  readonly removed: {
    readonly summary: RunSummary;
    readonly record: RunRecord;
    /** Its stored model went with it. */ readonly model: boolean;
  } | null;
  /** The past run on the screen. */
  readonly opened: RunPicture | null;
  /** The run that the address names, until it is read. */
  readonly pending: string | null;
  readonly selected: readonly string[];
  /** Curves of the selected runs, as far as they are loaded. */
  readonly curves: Readonly<Record<string, RunMetrics>>;
}

const EMPTY: HistoryStore = {
  status: 'loading',
  runs: [],
  fault: null,
  removed: null,
  opened: null,
  pending: null,
  selected: [],
  curves: {},
};
export const useHistoryStore = create<HistoryStore>(() => EMPTY);

let storage: HistoryStorage | null = null;
let chosen = false;
/** Writes happen one after another: an older state of a run must not replace a newer one. */
let writes: Promise<void> = Promise.resolve();
/** The run being recorded. */
let recorded: { readonly runId: string; readonly startedAt: number; savedAt: number } | null = null;
/** The record of the resumable run, read early so that it is there before the first new step. */
let earlier: RunRecord | null = null;

/** Reads the list and records the live run from here on. Returns the function that ends it. */
export function watchHistory(place: HistoryStorage = browserStorage()): () => void {
  storage = place;
  recorded = null;
  earlier = null;
  chosen = false;
  useHistoryStore.setState(EMPTY, true);
  void place.summaries().then(
    (found) => useHistoryStore.setState(({ runs }) => ({ status: 'ready', runs: merge(found, runs) })),
    (thrown: unknown) => useHistoryStore.setState({ status: 'ready', fault: storageFault('The history cannot be read', thrown) }),
  );
  const ends = [
    useRunStore.subscribe(({ run }, { run: before }) => {
      if (run !== before) follow(run, before);
    }),
    useDeviceStore.subscribe(({ resumable }) => {
      if (resumable && earlier?.runId !== resumable.runId) void place.record(resumable.runId).then(remember, () => undefined);
    }),
  ];
  return () => ends.forEach((end) => end());
}

const remember = (record: RunRecord | undefined): void => {
  if (record) earlier = record;
};

const merge = (found: readonly RunSummary[], newer: readonly RunSummary[]): RunSummary[] =>
  [...found.filter(({ runId }) => !newer.some((other) => other.runId === runId)), ...newer].sort((a, b) => b.startedAt - a.startedAt);

function follow(run: Run | null, before: Run | null): void {
  const same = run && before && run.runId === before.runId;
  // A live run that disappeared was discarded.
  if (!run && before && isActive(before)) return void forget(before.runId);
  if (!run?.prepared || run.adopted) return;
  if (!same || !before.prepared) begin(run);
  else if (isActive(before) && !isActive(run)) keep(run);
  else if (run.savedStep !== before.savedStep && due()) keep(run);
}

function begin(run: Run): void {
  const past = earlier?.runId === run.runId ? earlier : null;
  recorded = { runId: run.runId, startedAt: past?.startedAt ?? Date.now(), savedAt: 0 };
  const resumed = past && continued(run, past);
  if (!resumed) return;
  restoreMetrics(resumed.metrics);
  useRunStore.setState({ run: resumed.run });
}

/** A long run is large, so it is not written at every checkpoint: the more steps it has, the longer the pause between writes. */
const due = (): boolean => recorded !== null && Date.now() - recorded.savedAt >= runMetrics().step.length;

function keep(run: Run): void {
  if (recorded?.runId !== run.runId) return;
  const now = Date.now();
  const record = recordOf(run, runMetrics(), recorded.startedAt, now);
  if (!record) return;
  recorded.savedAt = now;
  earlier = record;
  const known = useHistoryStore.getState().runs.find(({ runId }) => runId === run.runId);
  void write(summaryOf(record, known?.name ?? memorableName(run.config, recorded.startedAt)), record);
}

const write = (summary: RunSummary, record: RunRecord): Promise<boolean> =>
  attempt('The run could not be kept', async (place) => {
    // It may have been renamed while it waited.
    const name = useHistoryStore.getState().runs.find(({ runId }) => runId === summary.runId)?.name ?? summary.name;
    const named = { ...summary, name };
    await place.write(named, record);
    useHistoryStore.setState(({ runs, selected, curves }) => ({
      runs: merge(runs, [named]),
      curves: selected.includes(named.runId) ? { ...curves, [named.runId]: RunMetrics.restore(record.metrics) } : curves,
    }));
  });

/** Runs the work after everything that was asked of the storage before. Resolves with false if it failed; the error is shown. */
function attempt(what: string, work: (place: HistoryStorage) => Promise<void>): Promise<boolean> {
  const place = storage;
  if (!place) return Promise.resolve(false);
  const done = writes
    .then(() => work(place))
    .then(
      () => true,
      (thrown: unknown) => {
        useHistoryStore.setState({ fault: thrown instanceof AppError ? errorInfo(thrown) : storageFault(what, thrown) });
        return false;
      },
    );
  writes = done.then(() => undefined);
  return done;
}

function storageFault(what: string, thrown: unknown): ErrorInfo {
  const full = thrown instanceof DOMException && thrown.name === 'QuotaExceededError';
  const why = thrown instanceof Error ? thrown.message : String(thrown);
  return {
    code: 'STORAGE',
    detail: full ? `${what}: the browser gives this page no more space.` : `${what}: ${why}`,
    remedy: full
      ? 'Delete runs that you no longer need. The run itself is intact.'
      : 'Allow this page to store data, or continue without a history.',
  };
}

const without = <T>(record: Readonly<Record<string, T>>, key: string): Record<string, T> =>
  Object.fromEntries(Object.entries(record).filter(([name]) => name !== key));

const drop = (runId: string): void =>
  useHistoryStore.setState(({ runs, selected, curves }) => ({
    runs: runs.filter((run) => run.runId !== runId),
    selected: selected.filter((id) => id !== runId),
    curves: without(curves, runId),
  }));

function forget(runId: string): void {
  if (earlier?.runId === runId) earlier = null;
  void attempt('The discarded run could not be deleted', (place) => place.remove(runId));
  drop(runId);
}

// What a person does on the screen.

/** Loads the curves of the newest runs, unless others were chosen. */
export function showHistory(): void {
  const { runs, selected } = useHistoryStore.getState();
  if (chosen || selected.length > 0 || runs.length === 0) return;
  for (const { runId } of runs.slice(0, FIRST_SELECTED)) select(runId);
}

export function toggleSelected(runId: string): void {
  chosen = true;
  const { selected, curves } = useHistoryStore.getState();
  if (selected.includes(runId))
    useHistoryStore.setState({ selected: selected.filter((id) => id !== runId), curves: without(curves, runId) });
  else if (selected.length < MOST_SELECTED) select(runId);
}

function select(runId: string): void {
  useHistoryStore.setState(({ selected }) => ({ selected: [...selected, runId] }));
  void attempt('The run could not be read', async (place) => {
    const record = await found(place, runId);
    useHistoryStore.setState(({ selected, curves }) =>
      selected.includes(runId) ? { curves: { ...curves, [runId]: RunMetrics.restore(record.metrics) } } : {},
    );
  });
}

async function found(place: HistoryStorage, runId: string): Promise<RunRecord> {
  const record = await place.record(runId);
  if (!record) throw new AppError('STORAGE', 'The run is no longer in the browser’s storage.', 'Reload the page.');
  return record;
}

/** A run whose model is stored becomes the page's run, unless that one would be lost; any other is only shown. */
export const openPast = (runId: string): Promise<boolean> =>
  attempt('The run could not be read', async (place) => {
    const now = useRunStore.getState().run;
    if (now?.runId === runId) return setView('run');
    const record = await found(place, runId);
    const run = pastRun(record);
    const busy = now !== null && (isActive(now) || isUnstored(now, storedOf(now.runId)));
    if (!busy && run.phase === 'done' && storedOf(runId)) return adoptRun(run, record.metrics);
    useHistoryStore.setState({
      opened: { run, metrics: RunMetrics.restore(record.metrics), version: 0, kind: 'past' },
    });
  });

export const closePast = (): void => useHistoryStore.setState({ opened: null });

export async function renameRun(runId: string, name: string): Promise<void> {
  const trimmed = name.trim();
  const summary = useHistoryStore.getState().runs.find((run) => run.runId === runId);
  if (!summary || trimmed === '' || trimmed === summary.name) return;
  const renamed = { ...summary, name: trimmed };
  useHistoryStore.setState(({ runs }) => ({ runs: runs.map((run) => (run.runId === runId ? renamed : run)) }));
  await attempt('The new name could not be kept', (place) => place.writeSummary(renamed));
}

export const deleteRun = (runId: string): Promise<boolean> =>
  attempt('The run could not be deleted', async (place) => {
    const summary = useHistoryStore.getState().runs.find((run) => run.runId === runId);
    const record = await found(place, runId);
    await place.remove(runId);
    drop(runId);
    const model = storedOf(runId) !== null;
    if (model) forgetModels([runId]);
    if (summary) useHistoryStore.setState({ removed: { summary, record, model } });
  });

export async function undoDelete(): Promise<void> {
  const { removed } = useHistoryStore.getState();
  if (!removed) return;
  useHistoryStore.setState({ removed: null });
  await write(removed.summary, removed.record);
}

export const dismissRemoved = (): void => useHistoryStore.setState({ removed: null });
export const dismissFault = (): void => useHistoryStore.setState({ fault: null });

export const deleteAllRuns = (): Promise<boolean> =>
  attempt('The runs could not be deleted', async (place) => {
    await place.removeAll();
    forgetModels((useFinishedStore.getState().runs ?? []).map(({ runId }) => runId));
    useHistoryStore.setState({ runs: [], selected: [], curves: {}, removed: null });
  });

/** Few visitors read or write a run's file. */
const runFiles = (): Promise<typeof import('./file')> => import('./file');

export const exportRun = (runId: string): Promise<boolean> =>
  attempt('The run could not be exported', async (place) => {
    const [{ writeRunFile }, record] = await Promise.all([runFiles(), found(place, runId)]);
    const name = useHistoryStore.getState().runs.find((run) => run.runId === runId)?.name ?? runId;
    saveFile(`${name}.json`, writeRunFile({ name, record }), 'application/json');
  });

export async function importRun(file: Pick<File, 'name' | 'text'>): Promise<boolean> {
  let read: NamedRecord | null = null;
  await attempt('The file could not be read', async () => {
    const { readRunFile } = await runFiles();
    read = readRunFile(await file.text(), file.name);
  });
  if (!read) return false;
  const { name, record }: NamedRecord = read;
  // The same run may come back under another name; it never replaces one that is there.
  const taken = useHistoryStore.getState().runs.some(({ runId }) => runId === record.runId);
  const own = taken ? { ...record, runId: crypto.randomUUID() } : record;
  useHistoryStore.setState({ fault: null });
  return write(summaryOf(own, name), own);
}
