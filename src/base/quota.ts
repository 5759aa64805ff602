// The storage quota that a browser reports for this page, if it is a real measurement.

const GIB = 2 ** 30;
/** The largest quota that Chrome reports, in GiB. */
const MOST = 10;

/**
 * Total bytes that the page may store; null if the browser does not report a measurement. Since version 138, Chrome reports the bytes in
 * use plus a whole number of GiB, whatever the size of the disk, so that a page cannot recognise a private window
 * (https://chromestatus.com/feature/4977371751645184). The quota that it enforces is a different one.
 */
export function measuredQuota({ usage, quota }: { readonly usage?: number; readonly quota?: number }): number | null {
  if (usage === undefined || quota === undefined) return null;
  const gib = (quota - usage) / GIB;
  return Number.isInteger(gib) && gib > 0 && gib <= MOST ? null : quota;
}
