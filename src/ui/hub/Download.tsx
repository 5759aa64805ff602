// The download of a looked-up model: the button that starts it, its progress, pause and end, and what to do after a fault.

import { useState } from 'react';
import { downloadHubModel, isUnderWay, pauseDownload, sameModel, useHubStore } from '../../store/setup/hub';
import { removeArrived } from '../../store/setup/hub-choice';
import type { DownloadState, HubModel, Preflight } from '../../io/hub/types';
import { formatBytes, formatPercent } from '../format';
import { fieldId } from '../labels';
import type { MethodVerdict } from '../model/verdict';
import { ErrorCard } from '../widgets/ErrorCard';
import { paceLine, phaseLine, progressLine, roomFault, shareOf } from './download-words';

interface DownloadProps {
  readonly preflight: Preflight;
  /** The verdict for the chosen method; null while there is no forecast. */
  readonly verdict: MethodVerdict | null;
}

const ANYWAY: readonly (MethodVerdict | null)[] = ['tight', 'exceeds', 'cannot'];

export function Download({ preflight, verdict }: DownloadProps) {
  const { download, storage, models } = useHubStore();
  const { model } = preflight;
  if (preflight.whole)
    return (
      <p className="note" id={fieldId('model')} tabIndex={-1}>
        On this device, {formatBytes(preflight.bytes)}. Training reads it from here.
      </p>
    );
  const own = download && sameModel(download.model, model) && download.phase !== 'done' && download.phase !== 'cancelled' ? download : null;
  if (own && isUnderWay(own)) return <UnderWay download={own} />;
  // The list is newer than the look-up.
  const arrived = own ? own.bytes : models ? (models.find((stored) => sameModel(stored.model, model))?.bytes ?? 0) : preflight.cachedBytes;
  const toCome = preflight.bytes - arrived;
  const noRoom = roomFault(toCome, storage);
  const other = download !== null && isUnderWay(download) && !own;
  const anyway = ANYWAY.includes(verdict) || noRoom !== null;
  return (
    <>
      {own?.phase === 'failed' && own.error && <ErrorCard error={own.error} />}
      {arrived > 0 && (
        <Progress
          share={arrived / preflight.bytes}
          line={`${formatBytes(arrived)} of ${formatBytes(preflight.bytes)} are downloaded`}
          phase={own ? phaseLine(own) : 'From an earlier download.'}
        />
      )}
      {noRoom && <p className="note fault">{noRoom}</p>}
      {other && <p className="note">{download.model.repo} is being downloaded. Only one download runs at a time.</p>}
      <div className="buttons">
        <button id={fieldId('model')} type="button" className="button primary" disabled={other} onClick={() => downloadHubModel(model)}>
          {downloadLabel(arrived, toCome, anyway)}
        </button>
        {arrived > 0 && <Remove model={model} label="Delete the partial download" />}
      </div>
    </>
  );
}

function downloadLabel(arrived: number, toCome: number, anyway: boolean): string {
  if (arrived > 0) return `Continue, ${formatBytes(toCome)} left`;
  return anyway ? `Download anyway, ${formatBytes(toCome)}` : `Download ${formatBytes(toCome)}`;
}

/** A download with its buttons, also if it is of another model than the one shown. */
export function UnderWay({ download }: { readonly download: DownloadState }) {
  return (
    <div className="download" data-download={download.phase}>
      <Progress
        share={shareOf(download)}
        line={progressLine(download)}
        pace={paceLine(download)}
        phase={phaseLine(download)}
        waiting={download.phase === 'starting'}
      />
      <div className="buttons">
        <button id={fieldId('model')} type="button" className="button" onClick={pauseDownload}>
          Pause
        </button>
        <Remove model={download.model} label="Cancel" />
      </div>
    </div>
  );
}

interface ProgressProps {
  readonly share: number;
  readonly line: string;
  /** Keeps its line even while it is empty. */
  readonly pace?: string;
  readonly phase: string;
  readonly waiting?: boolean;
}

function Progress({ share, line, pace, phase, waiting = false }: ProgressProps) {
  return (
    <div className="download-progress">
      <progress max={1} value={waiting ? undefined : share} aria-label="Download" />
      <p className="download-line">
        <span>{line}</span> <strong>{formatPercent(share)}</strong>
      </p>
      {pace !== undefined && <p className="note download-pace">{pace}</p>}
      <p className="note download-phase">{phase}</p>
    </div>
  );
}

/** Asks first, because the bytes would have to be downloaded again. */
function Remove({ model, label }: { readonly model: HubModel; readonly label: string }) {
  const [asking, setAsking] = useState(false);
  if (!asking)
    return (
      <button type="button" className="button" onClick={() => setAsking(true)}>
        {label}
      </button>
    );
  return (
    <>
      <button type="button" className="button danger" autoFocus onClick={() => removeArrived(model)}>
        Delete the partial download
      </button>
      <button type="button" className="button" onClick={() => setAsking(false)}>
        Keep it
      </button>
    </>
  );
}
