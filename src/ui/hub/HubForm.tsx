// Chooses a model of a hub: its id or its page's address; under 'more' the revision, a mirror's address and a token. The token
// leaves its field as soon as it is taken. It is never in an address, a file, the history or a log.

import { useState } from 'react';
import { errorInfo } from '../../base/errors';
import { setHubToken, setHubUrl, useHubStore } from '../../store/setup/hub';
import { lookUp, setHubName, useHubName } from '../../store/setup/hub-choice';
import { LARGER_MODELS } from '../known-models';
import { fieldId } from '../labels';

export const TOKEN_FIELD = 'hub-token';

/** What is wrong with the input; null if nothing is. */
function faultOf(take: () => void): string | null {
  try {
    take();
    return null;
  } catch (thrown) {
    const { detail, remedy } = errorInfo(thrown);
    return `${detail} ${remedy}`;
  }
}

interface HubFormProps {
  /** The start button leads to this field; false while something else has to be done first. */
  readonly wanted: boolean;
  readonly more: boolean;
  readonly onMore: (open: boolean) => void;
}

export function HubForm({ wanted, more, onMore }: HubFormProps) {
  const { text, revision } = useHubName();
  const looking = useHubStore(({ look }) => look.status === 'looking');
  return (
    <>
      <div className="field">
        <label htmlFor={wanted ? fieldId('model') : 'hub-name'}>Model on the Hub</label>
        <div className="with-button">
          <input
            id={wanted ? fieldId('model') : 'hub-name'}
            type="text"
            autoComplete="off"
            autoCapitalize="off"
            spellCheck={false}
            placeholder="HuggingFaceTB/SmolLM2-135M"
            value={text}
            aria-describedby="hub-name-note"
            onChange={({ target }) => setHubName({ text: target.value })}
            onKeyDown={({ key }) => key === 'Enter' && lookUp()}
          />
          <button type="button" className="button" disabled={looking || text.trim() === ''} onClick={lookUp}>
            Look up
          </button>
        </div>
        <p className="note" id="hub-name-note">
          {text === '' && <Examples />}
          An id, or the address of its page. Looking up reads the config and headers, not the weights. Only the model’s name is sent to the
          Hub; your data stay here.
        </p>
      </div>
      <details className="hub-more" open={more} onToggle={({ currentTarget }) => onMore(currentTarget.open)}>
        <summary>Revision, mirror, token</summary>
        <div className="field">
          <label htmlFor="hub-revision">Revision</label>
          <input
            id="hub-revision"
            type="text"
            autoComplete="off"
            spellCheck={false}
            placeholder="main"
            value={revision}
            onChange={({ target }) => setHubName({ revision: target.value })}
            onKeyDown={({ key }) => key === 'Enter' && lookUp()}
          />
          <p className="note">A branch, a tag or a commit.</p>
        </div>
        <Address />
        <Token />
      </details>
    </>
  );
}

/** Names to begin with. A click only fills the field; it sends no request. */
function Examples() {
  return (
    <>
      {LARGER_MODELS.flatMap(({ name, repo }) =>
        repo === undefined
          ? []
          : [
              <button key={repo} type="button" className="link" onClick={() => setHubName({ text: repo })}>
                {name}
              </button>,
              ', ',
            ],
      )}
      or another.{' '}
    </>
  );
}

function Address() {
  const { url, usualUrl } = useHubStore();
  const [typed, setTyped] = useState<string | null>(null);
  const [fault, setFault] = useState<string | null>(null);
  const take = (): void => {
    if (typed === null) return;
    const found = faultOf(() => setHubUrl(typed));
    setFault(found);
    if (found === null) setTyped(null);
  };
  return (
    <div className={fault ? 'field faulty' : 'field'}>
      <label htmlFor="hub-url">Address of the hub</label>
      <input
        id="hub-url"
        type="url"
        autoComplete="off"
        spellCheck={false}
        placeholder={usualUrl}
        value={typed ?? (url === usualUrl ? '' : url)}
        aria-invalid={fault !== null}
        aria-describedby="hub-url-note"
        onChange={({ target }) => setTyped(target.value)}
        onBlur={take}
        onKeyDown={({ key }) => key === 'Enter' && take()}
      />
      <p className={fault ? 'note fault' : 'note'} id="hub-url-note">
        {fault ?? 'For a mirror that the server of this page allows. Leave it empty for the default hub.'}
      </p>
    </div>
  );
}

function Token() {
  const hasToken = useHubStore((state) => state.hasToken);
  const [typed, setTyped] = useState('');
  const [fault, setFault] = useState<string | null>(null);
  const take = (): void => {
    if (typed.trim() === '') return;
    setFault(faultOf(() => setHubToken(typed)));
    setTyped('');
  };
  return (
    <div className={fault ? 'field faulty' : 'field'}>
      <label htmlFor={TOKEN_FIELD}>Token, for gated and private models</label>
      <div className="with-button">
        <input
          id={TOKEN_FIELD}
          type="password"
          autoComplete="off"
          value={typed}
          placeholder={hasToken ? 'given' : ''}
          aria-invalid={fault !== null}
          aria-describedby="hub-token-note"
          onChange={({ target }) => setTyped(target.value)}
          onBlur={take}
          onKeyDown={({ key }) => key === 'Enter' && take()}
        />
        <button type="button" className="button" disabled={!hasToken} onClick={() => setHubToken('')}>
          Forget token
        </button>
      </div>
      <p className={fault ? 'note fault' : 'note'} id="hub-token-note">
        {fault ??
          (hasToken
            ? 'A token is set. It is sent only to this hub, and a reload forgets it.'
            : 'Kept in memory only, sent only to this hub, and forgotten on reload.')}
      </p>
    </div>
  );
}
