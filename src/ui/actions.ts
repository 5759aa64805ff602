// Everything that can be done to a run, in one table: buttons and keyboard shortcuts both come from here.

import { useConfigStore } from '../store/setup/config';
import { useDeviceStore, type DeviceStore } from '../store/run/device';
import { isActive, setView, useRunStore, type RunStore } from '../store/run/run';
import { chosenSources, useSourcesStore } from '../store/setup/sources';
import {
  ask,
  discardRun,
  download,
  forgetCheckpoint,
  goOnUnsaved,
  reopenDevice,
  resumeRun,
  saveAndGoOn,
  startRun,
} from '../store/run/actions';
import { standingOf, useFinishedStore } from '../store/run/finished';
import { openDialog } from '../store/dialog';
import { currentSetup, useSetup, type Setup } from './setup-state';

export interface ActionState {
  readonly setup: Setup;
  readonly run: RunStore['run'];
  readonly view: RunStore['view'];
  readonly device: DeviceStore['device'];
  readonly resumable: DeviceStore['resumable'];
}

export type ActionId =
  | 'start'
  | 'startPaused'
  | 'resume'
  | 'forget'
  | 'pause'
  | 'continue'
  | 'step'
  | 'stop'
  | 'stopKeep'
  | 'stopDownload'
  | 'discard'
  | 'save'
  | 'saveAgain'
  | 'goOnUnsaved'
  | 'verify'
  | 'download'
  | 'downloadDelta'
  | 'compare'
  | 'settings'
  | 'showRun'
  | 'reopen'
  | 'help';

export interface Action {
  readonly id: ActionId;
  readonly label: (state: ActionState) => string;
  /** KeyboardEvent.key; absent if a slip of the finger would cost something. */
  readonly keys: readonly string[];
  /** The text in the list of keys, if there are keys. */
  readonly what?: string;
  readonly enabled: (state: ActionState) => boolean;
  readonly run: () => void;
}

const active = ({ run }: ActionState): boolean => isActive(run) && run?.asked !== 'stop';
const inPhase = (state: ActionState, ...phases: readonly string[]): boolean => active(state) && phases.includes(state.run?.phase ?? '');

const hasModel = (run: RunStore['run']): boolean => run !== null && standingOf(run, useFinishedStore.getState()) === 'ready';

function start(paused: boolean): void {
  const { config } = useConfigStore.getState();
  const sources = chosenSources(useSourcesStore.getState());
  if (sources && currentSetup().start.ready) startRun(config, sources.model, sources.data, paused);
}

/** Ends the run and downloads the tuned model as soon as it is ready. */
function stopAndDownload(): void {
  ask('stop');
  const end = useRunStore.subscribe(({ run }) => {
    if (isActive(run)) return;
    end();
    if (run?.phase === 'done') download('model');
  });
}

const table: readonly Action[] = [
  {
    id: 'start',
    label: ({ setup }) => setup.start.label,
    keys: [],
    enabled: (s) => !isActive(s.run) && s.setup.start.ready,
    run: () => start(false),
  },
  {
    id: 'startPaused',
    label: () => 'Start paused',
    keys: [],
    enabled: (s) => !isActive(s.run) && s.setup.start.ready,
    run: () => start(true),
  },
  {
    id: 'resume',
    label: ({ resumable }) => (resumable ? `Resume from step ${resumable.step} of ${resumable.steps}` : 'Resume'),
    keys: [],
    enabled: (s) =>
      !isActive(s.run) && s.resumable?.needsModel === null && s.resumable.needsDownload === null && s.device.status === 'ready',
    run: () => resumeRun(),
  },
  {
    id: 'forget',
    label: () => 'Discard run',
    keys: [],
    enabled: (s) => !isActive(s.run) && s.resumable !== null,
    run: forgetCheckpoint,
  },
  {
    id: 'pause',
    label: ({ run }) => (run?.asked === 'pause' ? 'Pausing…' : 'Pause'),
    keys: [' '],
    what: 'Pause',
    enabled: (s) => inPhase(s, 'training', 'evaluating', 'sampling', 'saving') && s.run?.asked !== 'pause',
    run: () => ask('pause'),
  },
  {
    id: 'continue',
    label: () => 'Continue',
    keys: [' '],
    what: 'Continue',
    enabled: (s) => inPhase(s, 'paused') && s.run?.asked === null,
    run: () => ask('continue'),
  },
  {
    id: 'step',
    label: () => 'Step',
    keys: ['s'],
    what: 'Run one step while paused',
    enabled: (s) => inPhase(s, 'paused') && s.run?.asked === null,
    run: () => ask('step'),
  },
  {
    id: 'save',
    label: ({ run }) => (run?.asked === 'save' ? 'Saving…' : 'Save now'),
    keys: ['c'],
    what: 'Save a checkpoint now',
    enabled: (s) => inPhase(s, 'training', 'paused') && s.run?.asked === null && s.run.step > 0,
    run: () => ask('save'),
  },
  {
    id: 'verify',
    label: ({ run }) => (run?.asked === 'verify' ? 'Comparing weights…' : 'Prove that frozen layers are unchanged'),
    keys: ['v'],
    what: 'Prove that frozen layers are unchanged',
    enabled: (s) => inPhase(s, 'training', 'paused') && s.run?.asked === null && s.run.step > 0 && s.run.config.method !== 'full',
    run: () => ask('verify'),
  },
  {
    id: 'stop',
    label: ({ run }) => (run?.asked === 'stop' ? 'Stopping…' : 'Stop'),
    keys: ['x'],
    what: 'Stop (asks first)',
    enabled: active,
    run: () => openDialog('stop'),
  },
  { id: 'stopKeep', label: () => 'Stop and keep', keys: [], enabled: active, run: () => ask('stop') },
  { id: 'stopDownload', label: () => 'Stop and download the model', keys: [], enabled: active, run: stopAndDownload },
  {
    id: 'discard',
    label: () => 'Discard',
    keys: [],
    enabled: ({ run }) => isActive(run),
    run: discardRun,
  },
  {
    id: 'saveAgain',
    label: ({ run }) => (run?.asked === 'save' ? 'Saving…' : 'Try to save again'),
    keys: [],
    enabled: (s) => inPhase(s, 'paused') && s.run?.asked === null && s.run.saveError !== null,
    run: saveAndGoOn,
  },
  {
    id: 'goOnUnsaved',
    label: () => 'Continue without saving',
    keys: [],
    enabled: (s) => inPhase(s, 'paused') && s.run?.asked === null && s.run.saveError !== null,
    run: goOnUnsaved,
  },
  {
    id: 'download',
    label: ({ run }) => (run?.exported.model === 'asked' ? 'Collecting the model…' : 'Download the tuned model'),
    keys: [],
    enabled: ({ run }) => hasModel(run) && run?.exported.model !== 'asked',
    run: () => download('model'),
  },
  {
    id: 'downloadDelta',
    label: ({ run }) => (run?.exported.delta === 'asked' ? 'Collecting the changes…' : 'Download the changed tensors'),
    keys: [],
    enabled: ({ run }) => hasModel(run) && run?.exported.delta !== 'asked',
    run: () => download('delta'),
  },
  {
    id: 'compare',
    label: () => 'Compare with the base model',
    keys: [],
    enabled: (s) => s.view === 'run' && hasModel(s.run),
    run: () => setView('compare'),
  },
  { id: 'settings', label: () => 'New run', keys: [], enabled: (s) => s.view === 'run' && !isActive(s.run), run: () => setView('setup') },
  {
    id: 'showRun',
    label: ({ run }) => (isActive(run) ? 'Back to the run' : 'Last run'),
    keys: [],
    enabled: (s) => s.view !== 'run' && s.run !== null,
    run: () => setView('run'),
  },
  { id: 'reopen', label: () => 'Open the GPU again', keys: [], enabled: (s) => !isActive(s.run), run: reopenDevice },
  { id: 'help', label: () => 'Keyboard', keys: ['?'], what: 'Show these keys', enabled: () => true, run: () => openDialog('help') },
];

export const ACTIONS = Object.fromEntries(table.map((action) => [action.id, action])) as Readonly<Record<ActionId, Action>>;

const KEY_NAMES: Readonly<Record<string, string>> = { ' ': 'Space' };

/** The keys of the table, each with everything it does. */
export const SHORTCUTS: readonly { readonly key: string; readonly name: string; readonly what: string }[] = [
  ...new Set(table.flatMap((action) => action.keys)),
].map((key) => ({
  key,
  name: KEY_NAMES[key] ?? key.toUpperCase(),
  what: table.flatMap((action) => (action.keys.includes(key) && action.what ? [action.what] : [])).join(' · '),
}));

export function currentActionState(): ActionState {
  const { run, view } = useRunStore.getState();
  return { setup: currentSetup(), run, view, ...useDeviceStore.getState() };
}

export function useActionState(): ActionState {
  const setup = useSetup();
  const { run, view } = useRunStore();
  const { device, resumable } = useDeviceStore();
  return { setup, run, view, device, resumable };
}

/** The enabled action of a key, if any. */
export const actionOfKey = (key: string, state: ActionState): Action | undefined =>
  table.find((action) => action.keys.includes(key.toLowerCase()) && action.enabled(state));
