import { beforeEach, expect, test } from 'vitest';
import { note, useLog, type LoggedEvent } from './log';

// Another file's test may have left lines of a run with the same name.
beforeEach(() => useLog.setState({ runId: '', lines: [] }));

const types = (): string[] => useLog.getState().lines.map(({ event }) => (event.type === 'phase' ? event.phase : event.type));

test('what happened, in order: a phase once, however often it reports its progress', () => {
  const events: LoggedEvent[] = [
    { type: 'phase', phase: 'loading' },
    { type: 'phase', phase: 'loading', fraction: 0.5 },
    { type: 'phase', phase: 'training' },
    { type: 'phase', phase: 'saving' },
    { type: 'checkpoint', step: 1 },
    { type: 'phase', phase: 'training' },
  ];
  events.forEach((event, i) => note('a', event, 1000 + i));
  expect(types()).toEqual(['loading', 'training', 'saving', 'checkpoint', 'training']);
  expect(useLog.getState().lines.map(({ at }) => at)).toEqual([1000, 1002, 1003, 1004, 1005]);
});

test('another run begins a new list, and a long one keeps its end', () => {
  note('b', { type: 'phase', phase: 'training' }, 1);
  expect(types()).toEqual(['training']);
  for (let step = 1; step <= 600; step++) note('b', { type: 'checkpoint', step }, step);
  const { lines } = useLog.getState();
  expect(lines).toHaveLength(500);
  expect(lines.at(-1)?.event).toEqual({ type: 'checkpoint', step: 600 });
  expect(new Set(lines.map(({ id }) => id)).size).toBe(500);
});
