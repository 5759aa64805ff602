// The chosen data before a run: how they are read, which tokens are learned, and the rows themselves. It is in the main part of
// the set-up, and one line when closed.

import { useState } from 'react';
import { useConfigStore } from '../../store/setup/config';
import { useInspectStore, type InspectState } from '../../store/setup/inspect';
import { useSourcesStore } from '../../store/setup/sources';
import { formatPercent } from '../format';
import '../styles/data.css';
import { BadRows } from './BadRows';
import { ColumnMapping } from './ColumnMapping';
import { DATA_PREVIEW_ID } from './show-preview';
import { DataFacts } from './DataFacts';
import { DataRows } from './DataRows';
import { oneLine } from './data-words';
import { LengthHistogram } from './LengthHistogram';

export function DataPreviewPanel() {
  const [open, setOpen] = useState(true);
  const inspect = useInspectStore();
  const dataKind = useSourcesStore((state) => state.dataKind);
  if (inspect.status === 'idle') return null;
  return (
    <details
      className="panel data-preview"
      id={DATA_PREVIEW_ID}
      open={open}
      aria-busy={inspect.status === 'asking'}
      onToggle={({ currentTarget }) => setOpen(currentTarget.open)}
    >
      <summary>
        <h2>The data</h2>
        <span className="note">{headline(inspect)}</span>
      </summary>
      <Body inspect={inspect} builtin={dataKind === 'builtin'} />
    </details>
  );
}

function headline({ status, preview, head, fraction }: InspectState): string {
  if (status === 'failed') return 'cannot be read';
  if (status === 'asking') {
    const counting = fraction === null ? 'Reading…' : `Counting… ${formatPercent(fraction)}`;
    return preview ? `${preview.name} · ${counting}` : head ? `${head.name} · ${counting}` : counting;
  }
  return preview ? `${preview.name} · ${oneLine(preview)}` : '';
}

function Body({ inspect, builtin }: { readonly inspect: InspectState; readonly builtin: boolean }) {
  const config = useConfigStore((state) => state.config);
  const { preview, head, error, status } = inspect;
  // The data panel shows the error's card and what can be done.
  const problem = error ?? (status === 'ready' ? preview?.refusal : null);
  const refused = problem && <p className="note fault">{problem.detail}</p>;
  if (error) return <div className="data-body">{refused}</div>;
  const shown = preview ?? head;
  if (!shown) return <div className="data-body empty" />;
  const mappable = shown.columns.length > 0 && (!builtin || config.columns !== null);
  return (
    <div className={status === 'asking' && preview ? 'data-body stale' : 'data-body'}>
      {refused}
      {mappable && <ColumnMapping key={shown.columns.join('\n')} head={shown} map={config.columns} />}
      {preview ? (
        <div className="data-overview">
          <div>
            {preview.format !== null && <DataFacts preview={preview} config={config} ownEvaluation={builtin} />}
            <BadRows preview={preview} />
          </div>
          {preview.format !== null && preview.format !== 'plain' && <LengthHistogram preview={preview} seqLen={config.seqLen} />}
        </div>
      ) : (
        <div className="data-overview waiting">
          <p className="note">These are the first rows; the rest is still being counted.</p>
        </div>
      )}
      {shown.format !== null && (
        <DataRows key={`${shown.name} ${shown.format}`} head={shown} seqLen={config.seqLen} counted={preview !== null} />
      )}
    </div>
  );
}
