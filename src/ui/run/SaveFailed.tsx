// A checkpoint could not be written, mostly because the browser's storage is full. The run is intact and waits.

import type { ErrorInfo } from '../../base/errors';
import type { Run } from '../../store/run/run';
import type { ActionState } from '../actions';
import { savedSentence } from '../error-cards';
import { ActionButton } from '../widgets/Button';
import { ErrorCard } from '../widgets/ErrorCard';

interface SaveFailedProps {
  readonly run: Run;
  readonly error: ErrorInfo;
  readonly state: ActionState;
}

export function SaveFailed({ run, error, state }: SaveFailedProps) {
  return (
    <ErrorCard error={error} safe={savedSentence(run.step, run.savedStep)}>
      <ActionButton id="saveAgain" state={state} primary />
      <ActionButton id="goOnUnsaved" state={state} />
      <ActionButton id="stopDownload" state={state} />
    </ErrorCard>
  );
}
