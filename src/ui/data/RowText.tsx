// A row as it was read: its messages, or its text.

import type { DataRow, Role } from '../../data/read/types';
import { formatCount } from '../format';

/** Most characters that are shown of a text; a whole book would only slow the page down. */
const MOST_CHARACTERS = 20_000;

const NAMES: Readonly<Record<Role, string>> = {
  system: 'System',
  developer: 'Developer',
  user: 'User',
  assistant: 'Assistant',
  tool: 'Tool',
};

export function RowText({ row }: { readonly row: DataRow }) {
  if (row.kind === 'text') return <Text text={row.text} />;
  return (
    <dl className="turns">
      {row.messages.map(({ role, content }, i) => (
        <div key={i} data-role={role}>
          <dt>{NAMES[role]}</dt>
          <dd>
            <Text text={content} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Text({ text }: { readonly text: string }) {
  if (text === '') return <p className="note">(empty)</p>;
  return (
    <>
      <p className="row-text">{text.slice(0, MOST_CHARACTERS)}</p>
      {text.length > MOST_CHARACTERS && <p className="note">… and {formatCount(text.length - MOST_CHARACTERS)} characters more.</p>}
    </>
  );
}
