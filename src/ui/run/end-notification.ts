// Notifies the person that a run has ended, if they asked for it and are not looking at the page.

import { useEffect } from 'react';
import { isActive, useRunStore } from '../../store/run/run';
import { announcement, TITLE } from '../announce';

export const canNotify = (): boolean => 'Notification' in globalThis;

/** Asks the browser for its permission; call it from a click. Returns true if permission was given. */
export async function askToNotify(): Promise<boolean> {
  return canNotify() && (await Notification.requestPermission()) === 'granted';
}

export function useEndNotification(wanted: boolean): void {
  useEffect(() => {
    if (!wanted || !canNotify()) return;
    return useRunStore.subscribe(({ run }, { run: before }) => {
      const ended = run !== null && run.runId === before?.runId && isActive(before) && !isActive(run);
      if (!ended || !document.hidden || Notification.permission !== 'granted') return;
      try {
        const note = new Notification(TITLE, { body: announcement(before, run) ?? undefined, icon: './icon.svg', tag: run.runId });
        note.onclick = () => window.focus();
      } catch {
        // Android's Chrome shows notifications of service workers only.
      }
    });
  }, [wanted]);
}
