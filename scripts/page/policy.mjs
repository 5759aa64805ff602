// @ts-check
// What the page may load and ask, for the server's headers and for the page itself, where a static host sends no headers.

/**
 * The Hub, and where it redirects to for the bytes of large files: cas-bridge.xethub.hf.co, us.aws.cdn.hf.co, cdn-lfs*.hf.co,
 * cdn-lfs*.huggingface.co. A policy cannot say cdn-lfs*. src/base/guarded-fetch.ts has the same list.
 */
export const HUB_HOSTS = ['https://huggingface.co', 'https://*.huggingface.co', 'https://*.hf.co'];

/** `hosts`: what may be asked besides the page's own server. */
export const policy = (/** @type {readonly string[]} */ hosts) => [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "worker-src 'self'",
  "manifest-src 'self'",
  `connect-src ${["'self'", ...hosts].join(' ')}`,
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
];
