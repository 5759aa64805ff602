// The outcome of a run: the card of its error, of a checkpoint that could not be written, or of its success.

import { isActive, type Run } from '../../store/run/run';
import type { ActionState } from '../actions';
import { Ended } from './Ended';
import { Failure } from './Failure';
import { SaveFailed } from './SaveFailed';

interface OutcomeProps {
  readonly run: Run;
  readonly state: ActionState;
}

export function Outcome({ run, state }: OutcomeProps) {
  return (
    <>
      {run.error && <Failure run={run} error={run.error} state={state} />}
      {run.saveError && isActive(run) && run.phase !== 'training' && <SaveFailed run={run} error={run.saveError} state={state} />}
      {run.phase === 'done' && <Ended run={run} state={state} />}
    </>
  );
}
