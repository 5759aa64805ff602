// Where the model of an ended run is: stored in this browser, stored nowhere yet (and then leaving the page loses it), being opened,
// or waiting for its local folder.

import { useState } from 'react';
import { forgetModels, giveFolder, keepAgain, standingOf, storedOf, useFinishedStore } from '../../store/run/finished';
import type { Run } from '../../store/run/run';
import { formatBytes, formatPercent } from '../format';
import { FolderAgain } from './FolderAgain';

export function StoredModel({ run }: { readonly run: Run }) {
  const store = useFinishedStore();
  const [asking, setAsking] = useState(false);
  if (run.phase !== 'done') return null;
  const { failed, opening } = store;
  const stored = storedOf(run.runId, store);
  if (opening?.runId === run.runId) {
    return (
      <p className="note" role="status">
        Opening the stored model… {opening.fraction > 0 && formatPercent(opening.fraction)}
      </p>
    );
  }
  if (standingOf(run, store) === 'folder' && stored?.needsModel) {
    return (
      <FolderAgain
        name={stored.needsModel}
        ready
        what="to compare or download the tuned model"
        onFiles={(files) => giveFolder(run.runId, stored.needsModel ?? '', files)}
      />
    );
  }
  if (stored) {
    return (
      <p className="note" data-stored="yes">
        {run.adopted ? 'Its model is' : 'The model is'} stored in this browser ({formatBytes(stored.bytes)}).{' '}
        {asking ? (
          <>
            It cannot be restored.{' '}
            <button
              type="button"
              className="link"
              onClick={() => {
                setAsking(false);
                forgetModels([run.runId]);
              }}
            >
              Delete it for good
            </button>{' '}
            <button type="button" className="link" onClick={() => setAsking(false)}>
              Keep it
            </button>
          </>
        ) : (
          <button type="button" className="link" onClick={() => setAsking(true)}>
            Delete the stored model
          </button>
        )}
      </p>
    );
  }
  if (run.adopted) return <p className="note">Its model is not stored in this browser any more. Numbers and card are.</p>;
  const why = failed?.runId === run.runId ? failed.error : null;
  return (
    <div className="note fault" data-stored="no">
      <p>
        {why ? `The model could not be stored: ${why.detail} ${why.remedy}` : 'The model is not stored yet.'} If you close the page before
        you download it, it is lost.
      </p>
      <button type="button" className="button small" onClick={keepAgain}>
        Store it in this browser
      </button>
    </div>
  );
}
