// The screens of the page, in the order of the navigation. Those that not every visitor opens are loaded when they are
// first shown.

import { lazy, memo, Suspense, type ComponentType } from 'react';
import type { View } from '../store/run/run';
import { ActionBar } from './ActionBar';
import type { ActionState } from './actions';
import { Intro } from './intro/Intro';
import { useWide } from './media';
import { Notices } from './Notices';
import { PreviewView } from './preview/PreviewView';
import { SetupColumn } from './setup/SetupColumn';
import type { Setup } from './setup-state';

const CompareScreen = lazy(() => import('./compare/CompareScreen'));
const DataPreviewPanel = lazy(() => import('./data/DataPreviewPanel').then((part) => ({ default: part.DataPreviewPanel })));
const HistoryScreen = lazy(() => import('./history/HistoryScreen'));
const ReplayScreen = lazy(() => import('./replay/ReplayScreen'));
const RunScreen = lazy(() => import('./run/RunScreen'));

export interface Screen {
  readonly view: View;
  readonly label: string;
  /** Whether it is in the navigation and can be shown. */
  readonly available: (state: ActionState) => boolean;
  readonly Show: ComponentType<{ readonly state: ActionState }>;
}

export const SCREENS: readonly Screen[] = [
  { view: 'setup', label: 'Set-up', available: () => true, Show: SetupScreen },
  { view: 'run', label: 'Run', available: ({ run }) => run !== null, Show: RunScreen },
  { view: 'compare', label: 'Compare', available: ({ run }) => run !== null, Show: CompareScreen },
  { view: 'history', label: 'History', available: () => true, Show: HistoryScreen },
  { view: 'replay', label: 'Recorded run', available: () => true, Show: ReplayScreen },
];

/** The screen that the view names; the set-up if that screen has nothing to show. */
export const screenOf = (state: ActionState): Screen =>
  SCREENS.find((screen) => screen.view === state.view && screen.available(state)) ?? SCREENS[0];

function SetupScreen({ state }: { readonly state: ActionState }) {
  const first = (
    <>
      <Notices state={state} />
      <SetupIntro setup={state.setup} />
    </>
  );
  const wide = useWide();
  return (
    <div className="columns">
      {!wide && <div>{first}</div>}
      <div className="side">
        <SetupForm setup={state.setup} />
      </div>
      <div className="stage">
        <ActionBar state={state} />
        {wide && first}
        <SetupPreview setup={state.setup} />
        <Suspense fallback={null}>
          <DataPreviewPanel />
        </Suspense>
      </div>
    </div>
  );
}

// A running training changes the state ten times a second, but nothing in these screens.
const SetupForm = memo(({ setup }: { readonly setup: Setup }) => <SetupColumn setup={setup} />);
const SetupIntro = memo(({ setup }: { readonly setup: Setup }) => <Intro setup={setup} />);
const SetupPreview = memo(({ setup }: { readonly setup: Setup }) => <PreviewView setup={setup} />);
