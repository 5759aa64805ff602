// The one fetch of the page and of its workers: it asks only the page's own server and the Hub's hosts, as the security policy
// says. A worker does not inherit a policy that stands in the page, and a static host may send none, so it is enforced here, too.

import { AppError } from '../../base/errors';

/** The Hub, and where it redirects to for the bytes of large files; scripts/page/policy.mjs has the same list. */
const HUB_HOSTS: readonly RegExp[] = [/^huggingface\.co$/, /^[\w.-]+\.huggingface\.co$/, /^[\w.-]+\.hf\.co$/];

/** Origins of a mirror that the page's own server names in hub.json. */
const mirrors = new Set<string>();

/** What hub.json says: the default hub, and where it redirects to. Anything that is not an address is left out. */
export function allowMirror({ url, redirects }: { readonly url?: unknown; readonly redirects?: unknown }): void {
  for (const address of [url, ...(Array.isArray(redirects) ? (redirects as unknown[]) : [])])
    if (typeof address === 'string' && URL.canParse(address)) mirrors.add(new URL(address).origin);
}

function mayAsk(address: URL, own: string): boolean {
  if (address.origin === own || address.protocol === 'blob:' || mirrors.has(address.origin)) return true;
  return address.protocol === 'https:' && address.port === '' && HUB_HOSTS.some((host) => host.test(address.hostname));
}

/** Throws HUB_NAME for any other host, and for an answer that came from one after a redirect. */
export async function guardedFetch(input: string | URL, init?: RequestInit): Promise<Response> {
  const own = globalThis.location?.origin ?? '';
  const address = new URL(input, globalThis.location?.href);
  if (!mayAsk(address, own)) throw refused(address.origin);
  const response = await fetch(address, init);
  if (response.url !== '' && !mayAsk(new URL(response.url), own)) {
    await response.body?.cancel().catch(() => undefined);
    throw refused(new URL(response.url).origin);
  }
  return response;
}

const refused = (origin: string): AppError =>
  new AppError('HUB_NAME', `This page does not contact ${origin}.`, 'It reads models from the Hugging Face Hub, and its own files.');
