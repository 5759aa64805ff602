// A sample, token by token. Tokens that count toward the loss are dark and underlined. The others are grey: the model reads
// them but does not learn to write them.

import { memo } from 'react';
import type { PreviewToken } from '../../data/sample/preview';
import { formatCount, plural } from '../format';

/** Most tokens that are shown; more would only slow the page down. */
const MOST_TOKENS = 2000;

export const TokenView = memo(({ tokens }: { readonly tokens: readonly PreviewToken[] }) => {
  if (tokens.length === 0) return <p className="note">No tokens: the row is empty.</p>;
  const shown = tokens.slice(0, MOST_TOKENS);
  return (
    <>
      <p className="tokens">
        {shown.map((token, i) => (
          <Token key={i} token={token} edge={i > 0 && token.target !== tokens[i - 1].target} />
        ))}
      </p>
      {tokens.length > shown.length && (
        <p className="note">
          The first {formatCount(shown.length)} of {plural(tokens.length, 'token')}.
        </p>
      )}
    </>
  );
});

/** `edge`: tokens that count toward the loss begin or end here; this is read aloud to those who cannot see it. */
function Token({ token: { text, id, target, special }, edge }: { readonly token: PreviewToken; readonly edge: boolean }) {
  const part = text === '';
  const title = `${part ? 'part of the next character, ' : ''}${special ? 'special token ' : 'token '}${id}${target ? ', counts toward the loss' : ''}`;
  return (
    <>
      {edge && <span className="hidden">{target ? ' [counts toward the loss:] ' : ' [read only:] '}</span>}
      <span className="token" data-loss={target} data-special={special || undefined} title={title}>
        {part ? <span className="token-mark">·</span> : withBreaks(text)}
      </span>
    </>
  );
}

/** A line break is shown as a sign, and also breaks the line. */
function withBreaks(text: string) {
  const lines = text.split('\n');
  return lines.map((line, i) => (
    <span key={i}>
      {line}
      {i < lines.length - 1 && (
        <>
          <span className="token-mark" aria-hidden="true">
            ↵
          </span>
          {'\n'}
        </>
      )}
    </span>
  ));
}

export function TokenLegend() {
  return (
    <ul className="legend inline token-legend">
      <li>
        <span className="token" data-loss="true">
          with a loss
        </span>
      </li>
      <li>
        <span className="token" data-loss="false">
          read only
        </span>
      </li>
      <li>
        <span className="token" data-loss="false" data-special="true">
          special
        </span>
      </li>
    </ul>
  );
}
