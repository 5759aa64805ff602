// The page around its screens: header, notices, announcements and dialogs.

import { lazy, Suspense, useEffect, useRef, type RefObject } from 'react';
import { useDialog } from '../store/dialog';
import { startTour, useTourStore } from '../store/tour';
import type { View } from '../store/run/run';
import { usePreferences } from '../store/preferences';
import { useActionState } from './actions';
import { Header } from './Header';
import { Navigation } from './Navigation';
import { useAnnouncement, useLeaveGuard, useShortcuts, useTabTitle } from './page-effects';
import { ActionButton } from './widgets/Button';
import { useSavedWatch } from './run/saved-at';
import { useTabWatch } from './run/tab-watch';
import { useEndNotification } from './run/end-notification';
import { useWakeLock } from './run/wake-lock';
import { screenOf } from './screens';

const Dialogs = lazy(() => import('./Dialogs'));
const Tour = lazy(() => import('./tour/Tour'));

export function App() {
  const state = useActionState();
  const { keys, wakeLock, notify } = usePreferences();
  useShortcuts(keys);
  useTabTitle(state.run);
  useLeaveGuard(state.run);
  useTabWatch(state.run);
  useSavedWatch();
  useWakeLock(state.run, wakeLock);
  useEndNotification(notify);
  const said = useAnnouncement();
  const dialog = useDialog((state) => state.open);
  const tour = useTourStore(({ step }) => step);
  const { view, label, Show } = screenOf(state);
  const heading = useFocusOnChange(view);
  return (
    <div className="page">
      <Header>
        <Navigation state={state} />
      </Header>
      <main className="screen" data-screen={view}>
        <h2 className="hidden" ref={heading} tabIndex={-1}>
          {label}
        </h2>
        <Suspense fallback={<p className="note screen-wait">Loading…</p>}>
          <Show state={state} />
        </Suspense>
      </main>
      <footer className="page-foot">
        <p>Nothing leaves this machine: model, data and training stay in this tab.</p>
        <button type="button" className="button quiet" onClick={startTour}>
          Guided tour
        </button>
        <ActionButton id="help" state={state} quiet>
          Keyboard <kbd>?</kbd>
        </ActionButton>
      </footer>
      {tour !== null && view === 'setup' && (
        <Suspense fallback={null}>
          <Tour step={tour} />
        </Suspense>
      )}
      {dialog !== null && (
        <Suspense fallback={null}>
          <Dialogs state={state} />
        </Suspense>
      )}
      <p className="hidden" role="status" aria-live="polite">
        {said}
      </p>
    </div>
  );
}

/** For the heading of a screen: it gets the focus when the screen changes, so that the keyboard follows. */
function useFocusOnChange(view: View): RefObject<HTMLHeadingElement | null> {
  const heading = useRef<HTMLHeadingElement>(null);
  const shown = useRef(view);
  useEffect(() => {
    if (shown.current === view) return;
    shown.current = view;
    heading.current?.focus({ preventScroll: true });
    scrollTo(0, 0);
  }, [view]);
  return heading;
}
