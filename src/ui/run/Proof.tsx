// Asks the worker to compare the frozen blocks with what they were, bit by bit, and says what came out.

import type { ErrorInfo } from '../../base/errors';
import { isActive, type Run } from '../../store/run/run';
import type { ActionState } from '../actions';
import { verifiedSentence } from '../announce';
import { ActionButton } from '../parts/Button';
import { ErrorCard } from '../parts/ErrorCard';

interface ProofProps {
  readonly run: Run;
  /** Null where there is nobody to ask: a past or recorded run. */
  readonly state: ActionState | null;
}

export function Proof({ run, state }: ProofProps) {
  const { verified, config } = run;
  // Once it has ended nobody can be asked.
  const asked = state && isActive(run) ? state : null;
  if (config.method === 'full' || (!asked && !verified)) return null;
  return (
    <div className="proof">
      {asked && <ActionButton id="verify" state={asked} />}
      {verified && verified.changed.length > 0 ? (
        <ErrorCard error={failure(verifiedSentence(verified))} />
      ) : (
        <p className={verified ? 'proven' : 'note'}>
          {verified ? verifiedSentence(verified) : 'Compares every bit of their weights with what they were before.'}
        </p>
      )}
    </div>
  );
}

const failure = (detail: string): ErrorInfo => ({
  code: 'INTERNAL',
  detail,
  remedy: 'This must not happen. Do not use this model; please report it with the settings of this run.',
});
