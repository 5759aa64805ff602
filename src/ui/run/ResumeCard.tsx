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
import { ActionButton } from '../parts/Button';

interface ResumeCardProps {
  readonly resumable: Resumable;
  readonly state: ActionState;
}

export function ResumeCard({ resumable, state }: ResumeCardProps) {
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
          {needsModel !== null && <FolderAgain name={needsModel} ready={state.device.status === 'ready'} />}
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

const folderOf = (files: readonly File[]): string => files[0]?.webkitRelativePath.split('/')[0] ?? '';

function FolderAgain({ name, ready }: { readonly name: string; readonly ready: boolean }) {
  const [other, setOther] = useState<readonly File[] | null>(null);
  const goOn = (files: readonly File[]): void => resumeRun({ kind: 'files', name, files });
  return (
    <>
      <p>Its model is in the folder “{name}” on this machine. Choose that folder again to resume.</p>
      <label className="file">
        <input
          type="file"
          disabled={!ready}
          aria-label={`Choose the folder ${name} again`}
          // React has no name for this attribute, but every browser reads it.
          ref={(input) => input?.setAttribute('webkitdirectory', '')}
          onChange={({ target }) => {
            // Files of subfolders are not part of a model.
            const files = [...(target.files ?? [])].filter((file) => file.webkitRelativePath.split('/').length <= 2);
            if (files.length === 0) return;
            if (folderOf(files) === name) goOn(files);
            else setOther(files);
          }}
        />
        <span className="button primary">Choose the folder…</span>
      </label>
      {other && (
        <p className="note">
          That folder is called “{folderOf(other)}”.{' '}
          <button type="button" className="button" disabled={!ready} onClick={() => goOn(other)}>
            Resume anyway
          </button>{' '}
          If its weights differ, the run says so and stops.
        </p>
      )}
    </>
  );
}
