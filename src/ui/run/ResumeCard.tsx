// A run that was interrupted: resume from its last checkpoint, or delete that. A local model's folder has to be chosen again,
// because a page may not keep it.

import { useState } from 'react';
import type { Resumable } from '../../store/run/device';
import { lookUpNamed } from '../../store/setup/hub-choice';
import { resumeRun } from '../../store/run/actions';
import type { HubModel } from '../../io/hub/types';
import type { ActionState } from '../actions';
import { formatCount, formatPercent } from '../format';
import { METHOD_NAMES } from '../labels';
import { ActionButton } from '../widgets/Button';
import { FolderAgain } from './FolderAgain';

interface ResumeCardProps {
  readonly resumable: Resumable;
  readonly state: ActionState;
}

export default function ResumeCard({ resumable, state }: ResumeCardProps) {
  const [asking, setAsking] = useState(false);
  const { config, step, steps, needsModel, needsDownload } = resumable;
  return (
    <section className="card" aria-label="Unfinished run">
      <h2>An unfinished run</h2>
      <p>
        {METHOD_NAMES[config.method]} of {config.model} on {config.data} was saved after step {formatCount(step)} of {formatCount(steps)} (
        {formatPercent(step / steps)}). If you resume, the result is bit for bit the same as without the interruption.
      </p>
      {asking ? (
        <>
          <p>The checkpoint of step {formatCount(step)} will be deleted. You cannot resume this run afterwards.</p>
          <div className="buttons">
            <ActionButton id="forget" state={state}>
              Discard for good
            </ActionButton>
            <button type="button" className="button" onClick={() => setAsking(false)}>
              Keep it
            </button>
          </div>
        </>
      ) : (
        <>
          {needsModel !== null && (
            <FolderAgain
              name={needsModel}
              ready={state.device.status === 'ready'}
              what="to resume"
              onFiles={(files) => resumeRun({ kind: 'files', name: needsModel, files })}
            />
          )}
          {needsDownload && <DownloadAgain model={needsDownload} />}
          <div className="buttons">
            {needsModel === null && needsDownload === null && <ActionButton id="resume" state={state} primary />}
            <button type="button" className="button" onClick={() => setAsking(true)}>
              Discard run
            </button>
          </div>
        </>
      )}
    </section>
  );
}

/** The weights were deleted, but the same commit can be downloaded again. */
function DownloadAgain({ model }: { readonly model: HubModel }) {
  return (
    <p>
      Its model, {model.repo}, is no longer complete on this device.{' '}
      <button type="button" className="link" onClick={() => lookUpNamed(`${model.repo}@${model.commit}`)}>
        Look it up
      </button>{' '}
      and download it to resume.
    </p>
  );
}
