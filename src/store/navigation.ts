// Screens, opened runs and dialogs in the browser's history: going somewhere adds an entry, Back returns to the one before, and a
// reload stays where it was.

import { closeDialog, openDialog, useDialog } from './dialog';
import { closePast, openPast, useHistoryStore } from './history/history';
import { currentPlace, readPlace, samePlace, type Place } from './place';
import { useFinishedStore } from './run/finished';
import { setView, useRunStore } from './run/run';
import { addressHash, writeAddress } from './setup/url';

/** What an entry of the browser's history knows: how many lie before it. Entries that a person makes by editing the address have none. */
interface Entry {
  readonly lisa: number;
}

const indexOf = (state: unknown): number | null =>
  typeof state === 'object' && state !== null && 'lisa' in state ? (state as Entry).lisa : null;

let shown: Place = { view: 'setup', run: null, dialog: null };
let index = 0;
/** While a place is being shown because the address says so, nothing is added to the history. */
let following = false;

/** Goes where the address says, and keeps it in step from here on. Returns the function that ends it. */
export function followPlaces(): () => void {
  index = indexOf(history.state) ?? 0;
  shown = currentPlace();
  const asked = readPlace(location.hash);
  // A question about a run that is not there any more is not asked again.
  show(asked.dialog === 'stop' ? { ...asked, dialog: null } : asked);
  history.replaceState({ lisa: index } satisfies Entry, '', addressHash());
  const ends = [useRunStore, useHistoryStore, useDialog].map((store) => (store.subscribe as (listener: () => void) => () => void)(note));
  const onBack = ({ state }: PopStateEvent): void => {
    const to = indexOf(state);
    if (to === null) {
      // Typed by the person.
      index++;
      return show(readPlace(location.hash));
    }
    const back = to < index;
    index = to;
    const place = readPlace(location.hash);
    // A dialog that was closed by its button left an entry of the same place.
    if (back && to > 0 && samePlace(place, shown)) return history.back();
    show(place);
    writeAddress();
  };
  // url.ts has read the settings of a typed address by then, since it listens longer.
  const onTyped = (): void => {
    if (indexOf(history.state) === null) history.replaceState({ lisa: index } satisfies Entry, '', addressHash());
  };
  addEventListener('popstate', onBack);
  addEventListener('hashchange', onTyped);
  return () => {
    ends.forEach((end) => end());
    removeEventListener('popstate', onBack);
    removeEventListener('hashchange', onTyped);
  };
}

function note(): void {
  if (following) return;
  const place = currentPlace();
  if (samePlace(place, shown)) return;
  const closed = shown.dialog !== null && place.dialog === null && samePlace({ ...shown, dialog: null }, place);
  // The screen of a run whose record is still being read.
  const settled = shown.view === 'history' && shown.run !== null && place.run === shown.run;
  shown = place;
  if (closed || settled) return writeAddress();
  index++;
  history.pushState({ lisa: index } satisfies Entry, '', addressHash());
}

function show(place: Place): void {
  following = true;
  try {
    if (place.dialog) openDialog(place.dialog);
    else closeDialog();
    const { run } = useRunStore.getState();
    const needsRun = place.view === 'run' || place.view === 'compare';
    if (place.run !== null && (needsRun ? run?.runId !== place.run : place.view === 'history')) return showRun(place.run, place.view);
    if (place.view === 'history') closePast();
    setView(needsRun && !run ? 'setup' : place.view);
  } finally {
    following = false;
    shown = currentPlace();
  }
}

/** Once the history and the stored models are known, opens the run; the list where it is not there. */
function showRun(runId: string, view: Place['view']): void {
  useHistoryStore.setState({ pending: runId, opened: null });
  setView('history');
  const ready = (): boolean => useHistoryStore.getState().status === 'ready' && useFinishedStore.getState().runs !== null;
  const open = async (): Promise<void> => {
    const there = useHistoryStore.getState().runs.some((run) => run.runId === runId);
    const wanted = (): boolean => useHistoryStore.getState().pending === runId && useRunStore.getState().view === 'history';
    if (!wanted()) return;
    if (there) await openPast(runId);
    useHistoryStore.setState(({ pending }) => (pending === runId ? { pending: null } : {}));
    if (view === 'compare' && useRunStore.getState().run?.runId === runId) setView('compare');
    // A run that was not saved yet has left nothing.
    if (!there && view !== 'history') setView('setup');
  };
  if (ready()) return void open();
  const ends = [useHistoryStore.subscribe(look), useFinishedStore.subscribe(look)];
  function look(): void {
    if (!ready()) return;
    ends.forEach((end) => end());
    void open();
  }
}
