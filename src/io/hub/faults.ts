// What can go wrong between us and a hub, each with what to do about it. No message holds the token or an address with
// a signature in it: storage hosts' addresses are never shown.

import { AppError } from '../../base/errors';

export interface HubPlace {
  readonly hub: string;
  readonly repo: string;
  readonly revision: string;
  /** Null if the request was for the list of files. */
  readonly path: string | null;
}

const named = ({ repo, revision, path }: HubPlace): string => (path === null ? `${repo}@${revision}` : `${path} of ${repo}`);

/** Faults that may disappear at the next attempt. */
export const isPassing = (thrown: unknown): thrown is AppError =>
  thrown instanceof AppError && ['HUB_SERVER', 'HUB_CONNECTION', 'HUB_STALLED'].includes(thrown.code);

/**
 * The hub's refusal. `code`: its X-Error-Code header, null where it sent none or the browser hides it.
 * https://github.com/huggingface/huggingface_hub (hf_raise_for_status) has the same reading of these headers.
 */
export function statusFault(status: number, code: string | null, place: HubPlace, hasToken: boolean): AppError {
  const page = `${place.hub}/${place.repo}`;
  if (code === 'RevisionNotFound')
    return notFound(`${place.repo} has no revision ${place.revision}.`, `Enter a branch, a tag or a commit of ${page}.`);
  if (code === 'EntryNotFound')
    return notFound(`${place.repo}@${place.revision} has no file ${place.path ?? ''}.`, 'Look up the model again: it may have changed.');
  if (code === 'GatedRepo' || status === 403) {
    const token = hasToken
      ? 'with the account of your token, and give the token permission to read the model'
      : 'and enter a token of your account';
    return new AppError(
      'HUB_GATED',
      `${place.hub} gives ${named(place)} only to approved accounts.`,
      `Accept the licence at ${page} ${token}.`,
    );
  }
  if (status === 401) {
    // The hub does not say whether a private model exists.
    if (!hasToken)
      return new AppError(
        'HUB_GATED',
        `${place.hub} does not show ${named(place)}: the model does not exist, or it is private or gated.`,
        `Check the name. If it is correct, accept the licence at ${page} and enter a token of your account.`,
      );
    return new AppError(
      'HUB_GATED',
      `${place.hub} does not show ${named(place)} to the owner of this token.`,
      `Check the name and the token. If the model is gated, accept the licence at ${page} with the token's account.`,
    );
  }
  if (status === 404) return notFound(`${place.hub} has no ${named(place)}.`, 'Check the name. A private model needs a token.');
  if (status === 416)
    return new AppError('HUB_CHANGED', `${named(place)} is shorter than the hub's list says.`, 'Look up the model again: it has changed.');
  if (status === 429)
    return new AppError(
      'HUB_SERVER',
      `${place.hub} does not accept more requests for now (status 429).`,
      'Wait a few minutes, or enter a token.',
    );
  if (status >= 500)
    return new AppError(
      'HUB_SERVER',
      `${place.hub} failed to send ${named(place)} (status ${status}).`,
      'Try again later. The partial download is kept.',
    );
  return new AppError(
    'HUB_SERVER',
    `${place.hub} answered the request for ${named(place)} with status ${status}.`,
    'Check the address of the hub.',
  );
}

const notFound = (detail: string, remedy: string): AppError => new AppError('HUB_NOT_FOUND', detail, remedy);

export const unreachable = (place: HubPlace, cause: unknown): AppError =>
  new AppError(
    'HUB_CONNECTION',
    `${place.hub} could not be reached for ${named(place)}.`,
    'Check the connection and the hub’s address. The page may reach only hubs that its server allows (see docs/hub.md).',
    { cause },
  );

export const cut = (place: HubPlace, bytes: number, cause?: unknown): AppError =>
  new AppError(
    'HUB_CONNECTION',
    `The connection was cut after ${bytes} bytes of ${named(place)}.`,
    'Try again: what has arrived is kept.',
    {
      cause,
    },
  );

export const stalled = (place: HubPlace, ms: number): AppError =>
  new AppError('HUB_STALLED', `No data of ${named(place)} arrived for ${Math.round(ms / 1000)} s.`, 'Try again: what has arrived is kept.');

export const badAnswer = (place: HubPlace, what: string): AppError =>
  new AppError(
    'HUB_SERVER',
    `${place.hub} answered the request for ${named(place)} with ${what}.`,
    'Check the address of the hub; a mirror may be incomplete.',
  );

export const digestFault = (place: HubPlace, what: string): AppError =>
  new AppError(
    'HUB_DIGEST',
    `${named(place)} arrived with ${what}, so it was discarded.`,
    'Download it again. If this happens again, the hub or something on the way changes files: use another address.',
  );
