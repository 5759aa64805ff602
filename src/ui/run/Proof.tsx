// Asks the worker to compare the frozen blocks bit by bit with their earlier weights, and shows the result.

import type { ErrorInfo } from '../../base/errors';
import { isActive, type Run } from '../../store/run/run';
import type { ActionState } from '../actions';
import { verifiedSentence } from '../announce';
import { ActionButton } from '../widgets/Button';
import { ErrorCard } from '../widgets/ErrorCard';

interface ProofProps {
  readonly run: Run;
  /** Null for a past or recorded run, which cannot be asked. */
  readonly state: ActionState | null;
}

export function Proof({ run, state }: ProofProps) {
  const { verified, config } = run;
  // Once the run has ended, it cannot be asked.
  const asked = state && isActive(run) ? state : null;
  if (config.method === 'full' || (!asked && !verified)) return null;
  return (
    <div className="proof">
      {asked && <ActionButton id="verify" state={asked} />}
      {verified && verified.changed.length > 0 ? (
        <ErrorCard error={failure(verifiedSentence(verified))} />
      ) : (
        <p className={verified ? 'proven' : 'note'}>
          {verified ? verifiedSentence(verified) : 'Compares every bit of their weights with the earlier ones.'}
        </p>
      )}
    </div>
  );
}

const failure = (detail: string): ErrorInfo => ({
  code: 'INTERNAL',
  detail,
  remedy: 'This must not happen. Do not use this model, and please report the fault with the settings of this run.',
});
