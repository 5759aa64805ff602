// Past runs: a chart that compares their losses, the list, and one opened run with the panels of a live run.

import { useEffect, useMemo, useState } from 'react';
import {
  closePast,
  deleteAllRuns,
  dismissFault,
  dismissRemoved,
  importRun,
  MOST_SELECTED,
  showHistory,
  undoDelete,
  useHistoryStore,
} from '../../store/history/history';
import { roomTaken, type RunSummary } from '../../store/history/record';
import { useFinishedStore } from '../../store/run/finished';
import { isActive, setView } from '../../store/run/run';
import type { ActionState } from '../actions';
import { DownloadPanel } from '../card/DownloadPanel';
import { formatBytes, formatList, plural } from '../format';
import { ErrorCard } from '../widgets/ErrorCard';
import { Panel } from '../widgets/Panel';
import ResumeCard from '../run/ResumeCard';
import { RunView } from '../run/RunView';
import { Frontier } from './Frontier';
import { OverlayChart } from './OverlayChart';
import { RunRow } from './RunRow';
import type { OverlayRun } from './overlay-model';
import '../styles/history.css';

export default function HistoryScreen({ state }: { readonly state: ActionState }) {
  const opened = useHistoryStore((history) => history.opened);
  const pending = useHistoryStore((history) => history.pending !== null);
  if (pending) return <p className="note screen-wait">Reading the run…</p>;
  return <div className="stage">{opened ? <Opened state={state} /> : <RunList state={state} />}</div>;
}

function Opened({ state }: { readonly state: ActionState }) {
  const { opened, runs } = useHistoryStore();
  if (!opened) return null;
  const summary = runs.find(({ runId }) => runId === opened.run.runId);
  const unfinished = summary?.status === 'unfinished';
  const resumable = state.resumable?.runId === opened.run.runId && !isActive(state.run) ? state.resumable : null;
  return (
    <>
      <section className="past-head" aria-label="Past run">
        <p>
          <strong>{summary?.name ?? 'A past run'}</strong>
          {unfinished && `: it was interrupted after step ${opened.run.step}`}
        </p>
        <button type="button" className="button" onClick={closePast}>
          All runs
        </button>
      </section>
      {resumable && <ResumeCard resumable={resumable} state={state} />}
      {opened.run.error && <ErrorCard error={opened.run.error} />}
      <RunView picture={opened} state={state} />
      <DownloadPanel picture={opened} state={state} />
    </>
  );
}

function RunList({ state }: { readonly state: ActionState }) {
  const { status, runs, selected, curves } = useHistoryStore();
  const [styles, setStyles] = useState<Readonly<Record<string, number>>>({});
  useEffect(showHistory, [status]);
  // A chosen run keeps its style when another is deselected.
  const current = useMemo(() => keepStyles(styles, selected), [styles, selected]);
  if (current !== styles) setStyles(current);
  const overlaid = useMemo(
    () =>
      selected.flatMap((runId): OverlayRun[] => {
        const run = runs.find((one) => one.runId === runId);
        const metrics = curves[runId];
        const evals = run ? [run.firstEval, run.lastEval].filter((point) => point !== null) : [];
        return run && metrics ? [{ name: run.name, metrics, evals, style: current[runId] }] : [];
      }),
    [selected, runs, curves, current],
  );
  const data = new Set(runs.filter(({ runId }) => selected.includes(runId)).map(({ config }) => config.data));
  return (
    <>
      <Told />
      {runs.length > 0 && (
        <Panel title="Compare loss" hint="Smoothed. Marks show the first and the last held-out loss.">
          <OverlayChart runs={overlaid} />
          {data.size > 1 && (
            <p className="note fault">
              These runs were trained on different data ({formatList([...data])}), so their losses cannot be compared.
            </p>
          )}
        </Panel>
      )}
      <Frontier runs={runs} />
      <Panel title="Past runs" hint={roomHint(runs)} aside={<Tools count={runs.length} />}>
        {runs.length === 0 ? (
          <Empty loading={status === 'loading'} />
        ) : (
          <ol className="past-list">
            {runs.map((run, i) => (
              <RunRow
                key={run.runId}
                run={run}
                before={runs[i + 1]}
                style={current[run.runId] ?? -1}
                full={selected.length >= MOST_SELECTED}
                active={state.run?.runId === run.runId && isActive(state.run)}
              />
            ))}
          </ol>
        )}
      </Panel>
    </>
  );
}

function roomHint(runs: readonly RunSummary[]): string | undefined {
  const { bytes, whole } = roomTaken(runs);
  if (bytes === 0) return undefined;
  return `${plural(runs.length, 'run')} ${runs.length === 1 ? 'takes' : 'take'} ${whole ? 'about' : 'more than'} ${formatBytes(bytes)} of this browser’s storage.`;
}

/** Returns the same object if nothing changed. */
function keepStyles(styles: Readonly<Record<string, number>>, selected: readonly string[]): Readonly<Record<string, number>> {
  const kept = selected.filter((runId) => runId in styles);
  if (kept.length === selected.length && Object.keys(styles).length === selected.length) return styles;
  const next = Object.fromEntries(kept.map((runId) => [runId, styles[runId]]));
  for (const runId of selected) {
    if (runId in next) continue;
    const taken = new Set(Object.values(next));
    next[runId] = Array.from({ length: MOST_SELECTED }, (_, i) => i).find((style) => !taken.has(style)) ?? 0;
  }
  return next;
}

/** What went wrong, and what can be restored. */
function Told() {
  const { fault, removed } = useHistoryStore();
  return (
    <div aria-live="polite">
      {fault && (
        <ErrorCard error={fault}>
          <button type="button" className="button" onClick={dismissFault}>
            Close
          </button>
        </ErrorCard>
      )}
      {removed && (
        <div className="card past-removed">
          <p>
            {removed.summary.name} was deleted{removed.model && ', with its model'}.
            {removed.model && ' Undo brings its numbers back, not the model.'}
          </p>
          <div className="buttons">
            <button type="button" className="button" onClick={() => void undoDelete()}>
              Undo
            </button>
            <button type="button" className="button" onClick={dismissRemoved}>
              Close
            </button>
          </div>
        </div>
      )}
    </div>
  );
}

function Empty({ loading }: { readonly loading: boolean }) {
  if (loading) return <p className="note">Reading the history…</p>;
  return (
    <>
      <p className="note">No runs yet. Every run that trains at least one step is kept here, in this browser only.</p>
      <div className="buttons">
        <button type="button" className="button" onClick={() => setView('setup')}>
          To the set-up
        </button>
      </div>
    </>
  );
}

function Tools({ count }: { readonly count: number }) {
  const [asking, setAsking] = useState(false);
  const models = useFinishedStore(({ runs }) => runs?.length ?? 0);
  return (
    <div className="buttons past-tools">
      <label className="file">
        <input
          type="file"
          accept=".json,application/json"
          onChange={({ target }) => {
            const [file] = target.files ?? [];
            if (file) void importRun(file);
            // So that the same file can be chosen again.
            target.value = '';
          }}
        />
        <span className="button">Import a run</span>
      </label>
      {count > 0 && !asking && (
        <button type="button" className="button" onClick={() => setAsking(true)}>
          Delete all
        </button>
      )}
      {count > 0 && asking && (
        <>
          <button
            type="button"
            className="button danger"
            onClick={() => {
              setAsking(false);
              void deleteAllRuns();
            }}
          >
            Delete {plural(count, 'run')}
            {models > 0 && ` and ${plural(models, 'stored model')}`} for good
          </button>
          <button type="button" className="button" onClick={() => setAsking(false)}>
            Keep them
          </button>
        </>
      )}
    </div>
  );
}
