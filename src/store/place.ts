// Where the person is in the page: the screen, the run on it, the dialog above it. The address says so in front of the settings, so
// that Back, a reload and a bookmark lead there.

import { DIALOGS, useDialog, type DialogName } from './dialog';
import { useHistoryStore } from './history/history';
import { useRunStore, VIEWS, type View } from './run/run';

export interface Place {
  readonly view: View;
  /** The run that the screen shows; null where it shows none. */
  readonly run: string | null;
  readonly dialog: DialogName | null;
}

export function currentPlace(): Place {
  const { view, run } = useRunStore.getState();
  const { opened, pending } = useHistoryStore.getState();
  const shown = view === 'history' ? (pending ?? opened?.run.runId) : view === 'run' || view === 'compare' ? run?.runId : null;
  return { view, run: shown ?? null, dialog: useDialog.getState().open };
}

export const samePlace = (a: Place, b: Place): boolean => a.view === b.view && a.run === b.run && a.dialog === b.dialog;

/** '' for the set-up. */
export function placeText({ view, run, dialog }: Place): string {
  const parts = [
    view !== 'setup' && `view=${view}`,
    run !== null && `run=${encodeURIComponent(run)}`,
    dialog !== null && `dialog=${dialog}`,
  ];
  return parts.filter((part) => part !== false).join('&');
}

/** What a link's part after '#' says about the place; anything unknown is the set-up. Never throws. */
export function readPlace(hash: string): Place {
  const said = new URLSearchParams(hash.replace(/^#/, ''));
  return {
    view: VIEWS.find((view) => view === said.get('view')) ?? 'setup',
    run: said.get('run'),
    dialog: DIALOGS.find((dialog) => dialog === said.get('dialog')) ?? null,
  };
}
