// The one place that starts the stores, and the order in which they start.

import { connect } from './link';
import { followPlaces } from './navigation';
import { route } from './route';
import { loadTheme } from './theme';
import { watchHistory } from './history/history';
import { openDevice } from './run/actions';
import { watchAnswering } from './run/answering';
import { watchNoGpu } from './run/no-gpu';
import { watchCompared } from './run/compare';
import { watchSteps } from './run/events';
import { watchPower } from './run/power';
import { loadSpeeds } from './run/speed';
import { loadBudget } from './setup/budget';
import { watchHub } from './setup/hub';
import { watchHubChoice } from './setup/hub-choice';
import { watchImportance } from './setup/importance';
import { watchData } from './setup/inspect';
import { watchLocalModel } from './setup/local-model';
import { loadSetupMode } from './setup/setup-mode';
import { loadBuiltinData } from './setup/sources';
import { followAddress } from './setup/url';
import { watchWanted } from './setup/wanted';

/** Called once per page, before its first paint. Returns the function that ends what the stores watch; the worker stays. */
export function startStores(): () => void {
  // 1. What this browser remembers: the first paint shows it.
  loadTheme();
  loadSetupMode();
  loadBuiltinData();
  loadBudget();
  loadSpeeds();
  const ends = [
    // 2. The address: a link sets settings and model before anything asks for a preview of those.
    followAddress(),
    // 3. What follows the live run. Steps come first, so that all others see the last one; the history gives a resumed run
    //    its earlier steps back before the others look at it; power comes last, because it may ask the run to pause. Where the person was
    //    comes after the history, which has the runs.
    watchSteps(),
    watchHistory(),
    watchCompared(),
    watchPower(),
    watchAnswering(),
    followPlaces(),
    // 4. What follows the device. Its first answer decides what a visitor without a GPU sees. A restarted worker learns the hub's address before the set-up asks for models of it.
    watchNoGpu('gpu' in navigator),
    watchLocalModel(),
    watchHub(),
    watchHubChoice(),
    watchData(),
    watchWanted(),
    watchImportance(),
  ];
  // 5. The worker, last: all of the above hear its first answer.
  connect(route);
  openDevice();
  return () => ends.forEach((end) => end());
}
