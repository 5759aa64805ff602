// A download in words: on screen as often as it changes; for screen readers at changes of its phase and at every tenth. Pure.

import type { DownloadState } from '../../io/hub/types';
import { formatBytes, formatCount, formatDuration, plural } from '../format';

/** '120 MB of 270 MB'. */
export const progressLine = ({ bytes, total }: DownloadState): string =>
  total > 0 ? `${formatBytes(bytes)} of ${formatBytes(total)}` : formatBytes(bytes);

/** '12.3 MB/s · 12 s left'; '' while nothing arrives, or nothing is known yet. */
export function paceLine({ phase, speed, secondsLeft }: DownloadState): string {
  if (phase !== 'downloading') return '';
  const parts = speed === null ? [] : [`${formatBytes(speed)}/s`];
  if (secondsLeft !== null) parts.push(`${formatDuration(secondsLeft * 1000)} left`);
  return parts.join(' · ');
}

export function phaseLine(download: DownloadState): string {
  const { phase, file, retry } = download;
  switch (phase) {
    case 'starting':
      return 'Asking the hub…';
    case 'downloading':
      return file === null ? 'Downloading…' : `Downloading ${file}`;
    case 'waiting':
      return retry
        ? `${retry.error.detail} Attempt ${formatCount(retry.attempt)} of ${formatCount(retry.of)} in ${plural(Math.round(retry.seconds), 'second')}.`
        : 'Waiting for the next attempt…';
    case 'checking':
      return file === null ? 'Checking digests…' : `Checking the digest of ${file}`;
    case 'paused':
      return 'Paused. The partial download is kept, even after a reload.';
    case 'done':
      return 'Downloaded. Every digest is correct.';
    case 'failed':
      return 'The download stopped. The partial download is kept.';
    case 'cancelled':
      return 'Cancelled. The partial download was deleted.';
  }
}

/** 0 to 1; 0 before the total is known. */
export const shareOf = ({ bytes, total }: DownloadState): number => (total > 0 ? Math.min(1, bytes / total) : 0);

const tenths = (download: DownloadState): number => Math.floor(shareOf(download) * 10 + 1e-9);

/** Phases that come and go with every file and are not worth announcing. */
const AT_WORK: readonly DownloadState['phase'][] = ['starting', 'downloading', 'checking'];

/** What a screen reader announces for this change; null if it is not worth a sentence. */
export function downloadAnnouncement(before: DownloadState | null, now: DownloadState | null): string | null {
  if (!now || now === before) return null;
  const atWork = AT_WORK.includes(now.phase);
  const same = before !== null && before.model.commit === now.model.commit && before.model.repo === now.model.repo;
  if (same && atWork && AT_WORK.includes(before.phase)) {
    return tenths(now) > tenths(before) ? `${tenths(now) * 10} percent of ${now.model.repo}.` : null;
  }
  if (same && before.phase === now.phase) return null;
  if (atWork) return `Downloading ${now.model.repo}.`;
  if (now.phase === 'failed') return `The download of ${now.model.repo} stopped. ${now.error?.detail ?? ''}`.trim();
  return `${now.model.repo}: ${phaseLine(now)}`;
}

/** Compares the missing bytes with the browser's free space; null if they fit, or if nothing is known. */
export function roomFault(toCome: number, storage: { readonly usage: number | null; readonly quota: number | null } | null): string | null {
  if (!storage || storage.usage === null || storage.quota === null) return null;
  const free = Math.max(0, storage.quota - storage.usage);
  return toCome <= free
    ? null
    : `${formatBytes(toCome)} are missing, but the browser has space for only ${formatBytes(free)}. Delete a model below, or free disk space.`;
}
