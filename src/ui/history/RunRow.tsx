// One past run in the list: what it was, how it went, and which settings differ from the run before it.

import { useState, type KeyboardEvent } from 'react';
import { deleteRun, exportRun, openPast, renameRun, toggleSelected } from '../../store/history/history';
import { storedOf, useFinishedStore } from '../../store/run/finished';
import type { RunStatus, RunSummary } from '../../store/history/record';
import { formatBytes, formatCount, formatDuration, formatExactBytes, formatLoss } from '../format';
import { settingChanges } from './setting-text';
import { Swatch } from './Swatch';

const STATUS: Readonly<Record<RunStatus, string>> = { done: 'Done', stopped: 'Stopped', failed: 'Failed', unfinished: 'Unfinished' };

interface RunRowProps {
  readonly run: RunSummary;
  /** The run that was started before it. */
  readonly before: RunSummary | undefined;
  /** Its style in the chart; −1 if it is not chosen. */
  readonly style: number;
  readonly full: boolean;
  /** It is running in this page. */
  readonly active: boolean;
}

export function RunRow({ run, before, style, full, active }: RunRowProps) {
  const { runId, name, step, config, lastEval, firstEval, peakBytes, trainingMs, startedAt, bytes } = run;
  const stored = useFinishedStore((finished) => storedOf(runId, finished));
  const chosen = style >= 0;
  const [asking, setAsking] = useState(false);
  const shownEval = lastEval ?? firstEval;
  return (
    <li className="past" data-run={runId} data-status={run.status}>
      <label className="past-choose" title={!chosen && full ? 'Six runs are already chosen.' : undefined}>
        <input type="checkbox" checked={chosen} disabled={!chosen && full} onChange={() => toggleSelected(runId)} />
        <span className="hidden">Show the loss of {name}</span>
        <span className="past-swatch">{chosen && <Swatch style={style} />}</span>
      </label>
      <div className="past-what">
        <Name run={run} />
        <p className="note">
          <span className="tag">{active ? 'Running' : STATUS[run.status]}</span>{' '}
          <time dateTime={new Date(startedAt).toISOString()}>
            {new Date(startedAt).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short' })}
          </time>{' '}
          · {config.model} on {config.data}
          {bytes !== undefined && ` · ${formatBytes(bytes)} kept`}
          {stored && ` · model stored, ${formatBytes(stored.bytes)}`}
        </p>
        <Changes run={run} before={before} />
      </div>
      <Spark values={run.spark} />
      <dl className="past-facts">
        <div>
          <dt>Held-out loss</dt>
          <dd title={shownEval ? String(shownEval.loss) : undefined}>{formatLoss(shownEval?.loss ?? NaN)}</dd>
        </div>
        <div>
          <dt>Peak, measured</dt>
          <dd title={formatExactBytes(peakBytes)}>{formatBytes(peakBytes)}</dd>
        </div>
        <div>
          <dt>Steps</dt>
          <dd>
            {formatCount(step)} of {formatCount(config.steps)}
          </dd>
        </div>
        <div>
          <dt>Training</dt>
          <dd>{formatDuration(trainingMs)}</dd>
        </div>
      </dl>
      <div className="buttons past-buttons">
        <button type="button" className="button" onClick={() => void openPast(runId)} aria-label={`Open ${name}`}>
          Open
        </button>
        <button type="button" className="button" onClick={() => void exportRun(runId)} aria-label={`Export ${name}`}>
          Export
        </button>
        {asking && stored ? (
          <>
            <button type="button" className="button danger" onClick={() => void deleteRun(runId)}>
              Delete with its model, for good
            </button>
            <button type="button" className="button" onClick={() => setAsking(false)}>
              Keep
            </button>
          </>
        ) : (
          <button
            type="button"
            className="button"
            disabled={active}
            onClick={() => (stored ? setAsking(true) : void deleteRun(runId))}
            aria-label={`Delete ${name}`}
          >
            Delete
          </button>
        )}
      </div>
    </li>
  );
}

function Name({ run: { runId, name } }: Pick<RunRowProps, 'run'>) {
  const [typed, setTyped] = useState<string | null>(null);
  const end = (keep: boolean): void => {
    if (keep && typed !== null) void renameRun(runId, typed);
    setTyped(null);
  };
  const onKey = ({ key }: KeyboardEvent): void => {
    if (key === 'Enter') end(true);
    if (key === 'Escape') end(false);
  };
  return (
    <input
      type="text"
      className="past-name"
      aria-label="Name of the run"
      autoComplete="off"
      maxLength={120}
      value={typed ?? name}
      onChange={({ target }) => setTyped(target.value)}
      onKeyDown={onKey}
      onBlur={() => end(true)}
    />
  );
}

/** Further differences are only counted. */
const MOST_CHANGES = 4;

function Changes({ run, before }: Pick<RunRowProps, 'run' | 'before'>) {
  if (!before) return null;
  const changes = settingChanges(before.config, run.config);
  if (changes.length === 0) return <p className="note">Same settings as the run before</p>;
  const more = changes.length - MOST_CHANGES;
  return (
    <ul className="past-changes" aria-label="Settings that differ from the run before">
      {changes.slice(0, MOST_CHANGES).map(({ key, label, from, to }) => (
        <li key={key}>
          {label} {from} → {to}
        </li>
      ))}
      {more > 0 && (
        <li
          title={changes
            .slice(MOST_CHANGES)
            .map(({ label, from, to }) => `${label} ${from} → ${to}`)
            .join('\n')}
        >
          {more} more
        </li>
      )}
    </ul>
  );
}

const SPARK = { width: 120, height: 32 } as const;

function Spark({ values }: { readonly values: readonly number[] }) {
  const finite = values.filter(Number.isFinite);
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const points = values.flatMap((value, i) => {
    if (!Number.isFinite(value)) return [];
    const x = (i / Math.max(1, values.length - 1)) * SPARK.width;
    return [`${x.toFixed(1)},${(2 + (1 - (value - low) / (high - low || 1)) * (SPARK.height - 4)).toFixed(1)}`];
  });
  return (
    <svg
      className="past-spark"
      width={SPARK.width}
      height={SPARK.height}
      role="img"
      aria-label={`Loss from ${formatLoss(values[0] ?? NaN)} to ${formatLoss(values.at(-1) ?? NaN)}`}
    >
      <polyline points={points.join(' ')} />
    </svg>
  );
}
