// A model of a hub on the set-up screen: its name, the look-up with the verdict, its download, and the stored models. Loaded
// when it is first shown.

import { useEffect, useRef, useState } from 'react';
import type { RunConfig } from '../../config/run-config';
import { hubNameText } from '../../io/hub/names';
import type { ErrorInfo } from '../../base/errors';
import { isUnderWay, sameModel, useHubStore } from '../../store/setup/hub';
import { lookUp } from '../../store/setup/hub-choice';
import type { DownloadState, Preflight } from '../../io/hub/types';
import { ModelVerdict, ShapeLine } from '../model/ModelVerdict';
import type { ModelStanding } from '../model/verdict';
import { ErrorCard } from '../widgets/ErrorCard';
import '../styles/hub.css';
import { Download, UnderWay } from './Download';
import { downloadAnnouncement } from './download-words';
import { HubForm, TOKEN_FIELD } from './HubForm';
import { StoredModels } from './StoredModels';

interface HubModelProps {
  readonly standing: ModelStanding | null;
  readonly config: RunConfig;
}

export default function HubModel({ standing, config }: HubModelProps) {
  const { look, download } = useHubStore();
  const [more, setMore] = useState(false);
  const said = useDownloadAnnouncement(download);
  const known = look.status === 'known' ? look.preflight : null;
  const elsewhere = download && isUnderWay(download) && !(known && sameModel(known.model, download.model)) ? download : null;
  const giveToken = (): void => {
    setMore(true);
    // The field exists only when the details are open.
    requestAnimationFrame(() => document.getElementById(TOKEN_FIELD)?.focus());
  };
  return (
    <>
      <HubForm wanted={!known && !elsewhere} more={more} onMore={setMore} />
      {look.status === 'looking' && <p className="note">Reading config and headers of {look.repo}…</p>}
      {look.status === 'failed' && <LookFault error={look.error} onToken={giveToken} />}
      {known && <Known preflight={known} standing={standing} config={config} />}
      {elsewhere && (
        <>
          <p className="chosen">{elsewhere.model.repo}</p>
          <UnderWay download={elsewhere} />
        </>
      )}
      <StoredModels />
      <p className="hidden" role="status" aria-live="polite">
        {said}
      </p>
    </>
  );
}

function LookFault({ error, onToken }: { readonly error: ErrorInfo; readonly onToken: () => void }) {
  const advice =
    error.code === 'HUB_CONNECTION' && !navigator.onLine
      ? 'This device is offline. You can use the fully downloaded models below.'
      : undefined;
  return (
    <ErrorCard error={error} advice={advice}>
      {error.code !== 'HUB_NAME' && (
        <button type="button" className="button" onClick={lookUp}>
          Try again
        </button>
      )}
      {(error.code === 'HUB_GATED' || error.code === 'HUB_NOT_FOUND') && (
        <button type="button" className="button" onClick={onToken}>
          Enter a token
        </button>
      )}
    </ErrorCard>
  );
}

interface KnownProps extends HubModelProps {
  readonly preflight: Preflight;
}

function Known({ preflight, standing, config }: KnownProps) {
  const { model, licence, gated } = preflight;
  const own = standing?.methods.find(({ method }) => method === config.method);
  const facts = [`commit ${model.commit.slice(0, 7)}`];
  // It is also null if the look-up used the cache, which does not keep it.
  if (licence !== null) facts.push(`licence ${licence}`);
  if (gated) facts.push('gated');
  return (
    <>
      <p className="chosen">{hubNameText(model)}</p>
      <ShapeLine shape={preflight.shape} facts={preflight} />
      <p className="note">{facts.join(' · ')}</p>
      <ModelVerdict name={model.repo} standing={standing} config={config} />
      <Download preflight={preflight} verdict={own?.verdict ?? null} />
    </>
  );
}

/** The last sentence about the download that is worth announcing. */
function useDownloadAnnouncement(download: DownloadState | null): string {
  const [text, setText] = useState('');
  const before = useRef(download);
  useEffect(() => {
    const sentence = downloadAnnouncement(before.current, download);
    before.current = download;
    if (sentence !== null) setText(sentence);
  }, [download]);
  return text;
}
