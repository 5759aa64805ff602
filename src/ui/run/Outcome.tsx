// The outcome of a run: the card of its error, of a checkpoint that could not be written, or of its success.

import type { RunPicture } from '../../store/run/picture';
import { isActive } from '../../store/run/run';
import type { ActionState } from '../actions';
import { Ended } from './Ended';
import { Failure } from './Failure';
import { SaveFailed } from './SaveFailed';

interface OutcomeProps {
  readonly picture: RunPicture;
  readonly state: ActionState;
}

export function Outcome({ picture, state }: OutcomeProps) {
  const { run } = picture;
  return (
    <>
      {run.error && <Failure run={run} error={run.error} state={state} />}
      {run.saveError && isActive(run) && run.phase !== 'training' && <SaveFailed run={run} error={run.saveError} state={state} />}
      {run.phase === 'done' && <Ended picture={picture} state={state} />}
    </>
  );
}
