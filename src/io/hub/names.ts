// Names of models on a hub, as people type and paste them, and the hub's address. Everything else is refused by name, so that
// an accepted name is safe in a URL's path and in a folder's name. Pure. Rules of names:
// https://huggingface.co/docs/hub/repositories-getting-started

import { AppError } from '../../base/errors';

export const DEFAULT_HUB = 'https://huggingface.co';
const DEFAULT_REVISION = 'main';

export interface HubName {
  /** 'org/name' or 'name'. */
  readonly repo: string;
  /** Branch, tag or commit. */
  readonly revision: string;
}

const EXAMPLE = 'Enter it as org/name, for example HuggingFaceTB/SmolLM2-135M, or paste the address of its page.';
/** Most characters of either part. */
const MAX_PART = 96;
const MAX_REVISION = 255;
/** First parts of addresses on the hub that are not models. */
const NOT_MODELS = new Set(['datasets', 'spaces', 'docs', 'blog', 'models', 'settings', 'collections', 'papers', 'api', 'posts', 'join']);

const quote = (text: string): string => JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
const refuse = (text: string, problem: string, remedy = EXAMPLE): never => {
  throw new AppError('HUB_NAME', `${quote(text)} ${problem}`, remedy);
};

/** Throws HUB_NAME if the text is not a repository's id or page on `hub` or on the default hub. */
export function parseHubName(text: string, hub: string = DEFAULT_HUB): HubName {
  const given = text.trim();
  if (given === '') return refuse(given, 'is not a model.');
  return /^[a-z][a-z0-9+.-]*:/i.test(given) || given.startsWith('//') ? fromUrl(given, hub) : fromId(given);
}

/** 'org/name@revision', without the revision if it is the default one. */
export const hubNameText = ({ repo, revision }: HubName): string => (revision === DEFAULT_REVISION ? repo : `${repo}@${revision}`);

/** True for a text that can only be meant as a hub's model: an address, or org/name with or without @revision. */
export function looksLikeHubName(text: string): boolean {
  return /^https?:\/\//i.test(text.trim()) || /^[\w][\w.-]*\/[\w][\w.-]*(@[^@\s]+)?$/.test(text.trim());
}

function fromId(text: string): HubName {
  const [repo, revision, ...more] = text.split('@');
  if (more.length > 0) refuse(text, 'has more than one @.');
  return { repo: checkRepo(repo, text), revision: checkRevision(revision ?? DEFAULT_REVISION, text) };
}

function fromUrl(text: string, hub: string): HubName {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return refuse(text, 'is not an address.');
  }
  if (url.username !== '' || url.password !== '') refuse(url.host, 'is an address with a name or password in it.', 'Leave them out.');
  const base = [hub, DEFAULT_HUB, 'https://hf.co'].map((known) => new URL(known)).find(({ origin }) => origin === url.origin);
  if (!base)
    return refuse(url.origin, `is not the hub (${new URL(hub).origin}).`, 'Change the hub’s address, or enter the model as org/name.');
  const prefix = base.pathname.replace(/\/+$/, '');
  if (!url.pathname.startsWith(`${prefix}/`)) return refuse(text, `is outside ${base.href}.`);
  let parts: string[];
  try {
    parts = url.pathname
      .slice(prefix.length)
      .split('/')
      .filter((part) => part !== '')
      .map(decodeURIComponent);
  } catch {
    return refuse(text, 'is an address that cannot be decoded.');
  }
  // org/name/tree/revision[/file]; a model without an organisation has one part less.
  const at = parts.findIndex((part, i) => i > 0 && i < 3 && ['tree', 'blob', 'resolve', 'raw', 'commit'].includes(part));
  const name = at > 0 ? parts.slice(0, at) : parts.slice(0, 2);
  if (NOT_MODELS.has(name[0])) refuse(text, 'is not the page of a model.');
  const repo = checkRepo(name.join('/'), text);
  if (at < 0) return { repo, revision: DEFAULT_REVISION };
  if (parts[at + 1] === undefined) return refuse(text, 'names no revision.');
  // refs/pr/1 and the like are written with slashes in addresses too.
  const revision = parts[at + 1] === 'refs' ? parts.slice(at + 1, at + 4).join('/') : parts[at + 1];
  return { repo, revision: checkRevision(revision, text) };
}

function checkRepo(repo: string, text: string): string {
  const parts = repo.split('/');
  if (parts.length > 2) refuse(text, 'has more parts than org/name.');
  for (const part of parts) {
    if (part === '') refuse(text, 'has an empty part.');
    if (part.length > MAX_PART) refuse(text, `has a part of more than ${MAX_PART} characters.`);
    const bad = /[^A-Za-z0-9._-]/u.exec(part)?.[0];
    if (bad !== undefined) refuse(text, `has ${quote(bad)} in it; names have letters, digits, '-', '_' and '.' only.`);
    if (/^[.-]|[.-]$|--|\.\./.test(part)) refuse(text, "has a part that begins or ends with '-' or '.', or has '--' or '..' in it.");
  }
  if (/\.git$/.test(repo)) refuse(text, "ends with '.git'.");
  return repo;
}

function checkRevision(revision: string, text: string): string {
  const sound = /^[A-Za-z0-9][A-Za-z0-9._/+-]*$/.test(revision) && !/\.\.|\/\/|[/.]$/.test(revision);
  if (!sound || revision.length > MAX_REVISION)
    refuse(text, `has an invalid revision: ${quote(revision)}.`, 'Enter a branch, a tag or a commit after the @.');
  return revision;
}

/** True for a whole commit id. */
export const isCommit = (revision: string): boolean => /^[0-9a-f]{40}$/.test(revision);

/** The address of a hub or a mirror, normalised: no slash at its end. Throws HUB_NAME. */
export function parseHubUrl(text: string): string {
  const remedy = `Enter an address like ${DEFAULT_HUB}.`;
  let url: URL;
  try {
    url = new URL(text.trim());
  } catch {
    return refuse(text, 'is not the address of a hub.', remedy);
  }
  if (url.username !== '' || url.password !== '') refuse(url.host, 'is an address with a name or password in it.', 'Use a token instead.');
  if (url.search !== '' || url.hash !== '') refuse(text, 'has a question mark or a # in it.', remedy);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isThisMachine(url.hostname)))
    refuse(text, 'is not encrypted.', 'Enter an https address; http is only for a hub on this machine.');
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

const isThisMachine = (host: string): boolean => host === 'localhost' || host === '[::1]' || /^127(\.\d+){3}$/.test(host);

/** A token as it can go into a header; null for none. Throws HUB_NAME without showing it. */
export function parseToken(text: string | null | undefined): string | null {
  const token = (text ?? '').trim();
  if (token === '') return null;
  if (!/^[\x21-\x7e]{1,512}$/.test(token))
    throw new AppError(
      'HUB_NAME',
      'The token has characters that are not allowed in tokens.',
      'Copy it again from the hub’s settings, in one piece.',
    );
  return token;
}
