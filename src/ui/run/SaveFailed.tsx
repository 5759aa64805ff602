// A checkpoint could not be written, mostly because the browser's storage is full. The run is whole and waits.

import { useEffect, useState } from 'react';
import type { ErrorInfo } from '../../errors';
import type { Run } from '../../store/run';
import type { ActionState } from '../actions';
import { savedSentence } from '../error-cards';
import { formatBytes } from '../format';
import { ActionButton } from '../parts/Button';
import { ErrorCard } from '../parts/ErrorCard';

interface SaveFailedProps {
  readonly run: Run;
  readonly error: ErrorInfo;
  readonly state: ActionState;
}

export function SaveFailed({ run, error, state }: SaveFailedProps) {
  const room = useRoom(error);
  return (
    <ErrorCard error={error} safe={`${savedSentence(run.step, run.savedStep)}${room ? ` ${room}` : ''}`}>
      <ActionButton id="saveAgain" state={state} primary />
      <ActionButton id="goOnUnsaved" state={state} />
      <ActionButton id="stopDownload" state={state} />
    </ErrorCard>
  );
}

/** What the browser says of this site's storage, asked anew after each failure; empty where it says nothing. */
function useRoom(error: ErrorInfo): string {
  const [said, setSaid] = useState('');
  useEffect(() => {
    let over = false;
    navigator.storage.estimate().then(
      ({ quota, usage }) => {
        if (over || quota === undefined || usage === undefined) return;
        setSaid(
          `The browser gives this site ${formatBytes(quota)}, of which ${formatBytes(usage)} are used: ${formatBytes(Math.max(0, quota - usage))} are free by its count.`,
        );
      },
      () => undefined, // it does not say
    );
    return () => {
      over = true;
    };
  }, [error]);
  return said;
}
