// Models on this device: what the cache holds, how much of the browser's storage it takes, and how to use, delete and keep the
// models.

import { useEffect, useState } from 'react';
import { deleteModel, isUnderWay, keepStorage, listModels, sameModel, useHubStore } from '../../store/setup/hub';
import { goOnWithDownload, takeStoredModel } from '../../store/setup/hub-choice';
import type { ModelUse, StorageEstimate, StoredModel } from '../../io/hub/types';
import { formatBytes, formatPercent, plural } from '../format';
import { ErrorCard } from '../widgets/ErrorCard';

export function StoredModels() {
  const { models, storage, modelsError } = useHubStore();
  useEffect(listModels, []);
  if (!models) return modelsError && <ErrorCard error={modelsError} />;
  return (
    <section className="stored-models" aria-labelledby="stored-models-title">
      <h3 id="stored-models-title">Models on this device</h3>
      {models.length === 0 ? (
        <p className="note">None yet. A downloaded model stays here until you delete it.</p>
      ) : (
        <ul>
          {models.map((stored) => (
            <Stored key={`${stored.model.hub} ${stored.model.repo} ${stored.model.commit}`} stored={stored} />
          ))}
        </ul>
      )}
      {modelsError && <ErrorCard error={modelsError} />}
      {storage && <Room storage={storage} models={models} />}
    </section>
  );
}

/** Why a model cannot be deleted now, and how to change that. */
const IN_USE: Readonly<Record<Exclude<ModelUse, 'ended run'>, string>> = {
  download: 'It is being downloaded. Cancel the download to delete it.',
  run: 'The current run uses it. You can delete it when the run has ended.',
  checkpoint: 'An unfinished run needs it. Finish or discard that run to delete it.',
};

function Stored({ stored: { model, bytes, total, whole, usedBy } }: { readonly stored: StoredModel }) {
  const [asking, setAsking] = useState(false);
  const reason = usedBy === null || usedBy === 'ended run' ? null : IN_USE[usedBy];
  const busy = useHubStore(({ download }) => download !== null && isUnderWay(download) && sameModel(download.model, model));
  return (
    <li data-stored={model.repo}>
      <p>
        <strong>{model.repo}</strong>{' '}
        <span className="note">
          {model.revision} at {model.commit.slice(0, 7)} ·{' '}
          {whole ? formatBytes(bytes) : `${formatBytes(bytes)} of ${formatBytes(total)}, ${busy ? 'being downloaded' : 'unfinished'}`}
        </span>
      </p>
      {asking && !reason ? (
        <>
          <p className="note">{formatBytes(bytes)} will be deleted. To train on it again, you must download it again.</p>
          {usedBy === 'ended run' && (
            <p className="note fault">
              The run that has ended also needs it. You will lose the comparison, and the tuned model unless you have downloaded it.
            </p>
          )}
          <div className="buttons">
            <button type="button" className="button small danger" autoFocus onClick={() => deleteModel(model)}>
              Delete for good
            </button>
            <button type="button" className="button small" onClick={() => setAsking(false)}>
              Keep it
            </button>
          </div>
        </>
      ) : (
        <div className="buttons">
          <button
            type="button"
            className="button small"
            disabled={busy}
            onClick={() => (whole ? takeStoredModel(model) : goOnWithDownload(model))}
          >
            {whole ? 'Use' : 'Continue'}
          </button>
          <button
            type="button"
            className="button small"
            disabled={busy || reason !== null}
            aria-label={`Delete ${model.repo}`}
            onClick={() => setAsking(true)}
          >
            Delete…
          </button>
        </div>
      )}
      {reason && !busy && <p className="note">{reason}</p>}
    </li>
  );
}

function Room({ storage, models }: { readonly storage: StorageEstimate; readonly models: readonly StoredModel[] }) {
  const [refused, setRefused] = useState(false);
  const taken = models.reduce((sum, { bytes }) => sum + bytes, 0);
  const { usage, quota, persisted } = storage;
  const used = usage === null ? '' : `This page uses ${formatBytes(usage)}`;
  const free =
    usage !== null && quota !== null
      ? `${used} (${formatPercent(usage / quota)}); ${formatBytes(Math.max(0, quota - usage))} are free.`
      : `${used}${used && '. '}The browser does not report how much space is left.`;
  if (models.length === 0) return <p className="note">{free}</p>;
  return (
    <>
      <p className="note">
        {plural(models.length, 'model')}, {formatBytes(taken)}. {free}
      </p>
      {persisted ? (
        <p className="note">The browser keeps them until you delete them.</p>
      ) : (
        <p className="note keep">
          {refused
            ? 'The browser refused. It may delete them when the disk is full.'
            : 'The browser may delete them when the disk is full.'}{' '}
          <button type="button" className="link" onClick={() => void keepStorage().then((kept) => setRefused(!kept))}>
            Keep them
          </button>
        </p>
      )}
    </>
  );
}
