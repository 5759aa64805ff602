// The list of events in the live run, newest first. It is built only when it is opened.

import { useState } from 'react';
import { useLog } from '../../store/run/log';
import { formatCount } from '../format';
import { logWords } from './log-words';

const time = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });

export function EventLog({ runId }: { readonly runId: string }) {
  const [open, setOpen] = useState(false);
  return (
    <details className="panel settings" onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>Events</summary>
      {open && <Lines runId={runId} />}
    </details>
  );
}

function Lines({ runId }: { readonly runId: string }) {
  const log = useLog();
  const lines = log.runId === runId ? log.lines : [];
  if (lines.length === 0) return <p className="note">Nothing has happened yet.</p>;
  return (
    <ol className="event-log" reversed tabIndex={0} aria-label="Events, newest first">
      {lines.toReversed().map(({ id, at, step, event }) => (
        <li key={id}>
          <time dateTime={new Date(at).toISOString()}>{time.format(at)}</time>
          <span className="note">step {formatCount(step)}</span>
          <span>{logWords(event)}</span>
        </li>
      ))}
    </ol>
  );
}
