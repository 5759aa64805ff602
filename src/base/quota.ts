// What a browser says of the room that it gives this page, as far as that is a measurement.

const GIB = 2 ** 30;
/** GiB that Chrome reports at most. */
const MOST = 10;

/**
 * Bytes that the page may keep in all; null where the browser does not tell. Chrome, since version 138, gives what is used and a whole
 * number of GiB, whatever the disk has, so that a private window cannot be told from another
 * (https://chromestatus.com/feature/4977371751645184); what it enforces is something else.
 */
export function measuredQuota({ usage, quota }: { readonly usage?: number; readonly quota?: number }): number | null {
  if (usage === undefined || quota === undefined) return null;
  const gib = (quota - usage) / GIB;
  return Number.isInteger(gib) && gib > 0 && gib <= MOST ? null : quota;
}
