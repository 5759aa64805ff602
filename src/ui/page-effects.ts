// What the page does besides showing things: keys, the tab's title, the question before leaving, announcements.

import { useEffect, useRef, useState } from 'react';
import { storedOf, useFinishedStore } from '../store/run/finished';
import { useRunStore, type Run } from '../store/run/run';
import { actionOfKey, currentActionState } from './actions';
import { announcement, tabTitle, wouldLose } from './announce';

/** Fields that take letters, controls that take Space, and everything else. */
const TYPED =
  'textarea, select, [contenteditable], input:not([type="checkbox"], [type="radio"], [type="range"], [type="file"], [type="button"])';
const PRESSED = 'input, button, summary, a, [role="gridcell"]';

/** Whether the focused element uses this key itself. */
const takesKey = (target: EventTarget | null, key: string): boolean =>
  target instanceof Element && (target.closest(TYPED) !== null || (key === ' ' && target.closest(PRESSED) !== null));

export function useShortcuts(on: boolean): void {
  useEffect(() => {
    if (!on) return;
    const onKey = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.defaultPrevented) return;
      // A dialog is open: only its own keys count.
      if (document.querySelector('dialog[open]') || takesKey(event.target, event.key)) return;
      const action = actionOfKey(event.key, currentActionState());
      if (!action) return;
      event.preventDefault();
      action.run();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [on]);
}

export function useTabTitle(run: Run | null): void {
  const title = tabTitle(run);
  useEffect(() => {
    document.title = title;
  }, [title]);
}

export function useLeaveGuard(run: Run | null): void {
  const guarded = useFinishedStore((finished) => wouldLose(run, run && storedOf(run.runId, finished)));
  useEffect(() => {
    if (!guarded) return;
    const onLeave = (event: BeforeUnloadEvent): void => event.preventDefault();
    addEventListener('beforeunload', onLeave);
    return () => removeEventListener('beforeunload', onLeave);
  }, [guarded]);
}

/** The last sentence worth announcing. */
export function useAnnouncement(): string {
  const [text, setText] = useState('');
  const before = useRef<Run | null>(null);
  useEffect(
    () =>
      useRunStore.subscribe(({ run }) => {
        const sentence = announcement(before.current, run);
        before.current = run;
        if (sentence !== null) setText(sentence);
      }),
    [],
  );
  return text;
}
