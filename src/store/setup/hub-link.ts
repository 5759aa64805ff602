// A hub's model in the address of the page: its name and, where it is not the usual one, its revision. Never the hub's address,
// and never a token. What a link says is checked like what a person types. Pure.

import { hubNameText, parseHubName, type HubName } from '../../io/hub/names';

const NAME = 'hub';

export const encodeHubLink = (name: HubName): string =>
  `${NAME}=${encodeURIComponent(hubNameText(name)).replaceAll('%2F', '/').replaceAll('%40', '@')}`;

/** Null if the link names none, or an invalid one. Never throws. `link` with or without '#'. */
export function decodeHubLink(link: string): HubName | null {
  const part = link
    .replace(/^#/, '')
    .split('&')
    .find((each) => each.startsWith(`${NAME}=`));
  if (part === undefined) return null;
  try {
    const text = decodeURIComponent(part.slice(NAME.length + 1));
    // An address is not a name: a link must not choose a hub.
    return text.includes(':') ? null : parseHubName(text);
  } catch {
    return null;
  }
}
