// After a run of LISA: shows with its model, data and settings that LISA does what it promises, each line with its figures.

import { cancelProof, prove, useProofStore } from '../../store/run/proof';
import type { Run } from '../../store/run/run';
import '../styles/importance.css';
import { ErrorCard } from '../widgets/ErrorCard';
import { Panel } from '../widgets/Panel';

const WHY =
  'A short run with the same settings is watched from outside: its tensors are read back and compared bit for bit, its memory is counted. Then two steps with every layer in training are compared with full training. It takes about as long as ten steps, and changes nothing of your model.';

export function ProveIt({ run }: { readonly run: Run }) {
  const state = useProofStore();
  if (run.config.method !== 'lisa' || run.phase !== 'done') return null;
  const own = state.runId === run.runId ? state : null;
  const lines = own?.lines ?? [];
  const failed = lines.filter(({ holds }) => !holds).length;
  return (
    <Panel title="Prove it" hint="Does LISA do what it promises, on this machine and with these settings?" why={WHY}>
      {own?.status === 'proving' ? (
        <div className="importance-progress">
          <progress max={1} value={own.fraction ?? undefined} aria-label="Proof" />
          <div className="importance-line">
            <span>{own.what || 'Preparing'}</span>
            <button type="button" className="button small" onClick={cancelProof}>
              Cancel
            </button>
          </div>
        </div>
      ) : (
        <button type="button" className="button small" onClick={() => prove(run.runId)}>
          {lines.length > 0 ? 'Prove it again' : 'Prove it'}
        </button>
      )}
      <p className="note" role="status">
        {lines.length > 0 && (failed === 0 ? `All ${lines.length} promises hold.` : `${failed} of ${lines.length} promises do not hold.`)}
      </p>
      {lines.length > 0 && (
        <ul className="proof-lines">
          {lines.map(({ claim, holds, figures }) => (
            <li key={claim} data-holds={holds}>
              <strong>{claim}</strong>: {holds ? 'holds' : 'does not hold'}. <span className="note">{figures}</span>
            </li>
          ))}
        </ul>
      )}
      {own?.error && <ErrorCard error={own.error} />}
    </Panel>
  );
}
