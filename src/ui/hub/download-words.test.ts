import { expect, test } from 'vitest';
import type { DownloadState } from '../../io/hub/types';
import { downloadAnnouncement, paceLine, phaseLine, progressLine, roomFault, shareOf } from './download-words';

const model = { kind: 'hub', hub: 'https://h', repo: 'a/b', revision: 'main', commit: '0'.repeat(40) } as const;
const state = (patch: Partial<DownloadState>): DownloadState => ({
  model,
  phase: 'downloading',
  bytes: 0,
  total: 1000,
  speed: null,
  secondsLeft: null,
  file: null,
  retry: null,
  error: null,
  ...patch,
});

test('no figure is shown before there is one', () => {
  expect(progressLine(state({ total: 0 }))).toBe('0 B');
  expect(progressLine(state({ bytes: 500 }))).toBe('500 B of 1.00 kB');
  expect(paceLine(state({ bytes: 500 }))).toBe('');
  expect(paceLine(state({ speed: 250 }))).toBe('250 B/s');
  expect(paceLine(state({ speed: 250, secondsLeft: 2 }))).toBe('250 B/s · 2 s left');
  expect(paceLine(state({ phase: 'paused', speed: 250, secondsLeft: 2 }))).toBe('');
  expect(shareOf(state({ total: 0 }))).toBe(0);
});

test('a retry says why and when', () => {
  const error = { code: 'HUB_CONNECTION', detail: 'The connection was cut.', remedy: '' } as const;
  const retry = { attempt: 2, of: 5, seconds: 4, error };
  expect(phaseLine(state({ phase: 'waiting', retry }))).toBe('The connection was cut. Attempt 2 of 5 in 4 seconds.');
});

test('the ear hears phases and tenths, not every update', () => {
  const steps: DownloadState[] = [state({ phase: 'starting', total: 0 })];
  for (let bytes = 0; bytes <= 1000; bytes += 7) steps.push(state({ bytes, phase: bytes % 3 === 0 ? 'checking' : 'downloading' }));
  steps.push(state({ phase: 'done', bytes: 1000 }));
  const said = steps.map((now, i) => downloadAnnouncement(steps[i - 1] ?? null, now)).filter((text) => text !== null);
  expect(said).toHaveLength(1 + 9 + 1);
  expect(said[0]).toBe('Downloading a/b.');
  expect(said.at(-1)).toMatch(/^a\/b: Downloaded/);
  expect(downloadAnnouncement(state({}), state({ phase: 'paused' }))).toMatch(/Paused/);
  expect(downloadAnnouncement(null, null)).toBeNull();
});

test('room is a fault only where it is known to be too little', () => {
  expect(roomFault(10, null)).toBeNull();
  expect(roomFault(10, { usage: null, quota: 5 })).toBeNull();
  expect(roomFault(10, { usage: 1, quota: 11 })).toBeNull();
  expect(roomFault(2000, { usage: 1000, quota: 1500 })).toMatch(/^2.00 kB are missing, but the browser has space for only 500 B\./);
});
