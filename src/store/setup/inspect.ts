// The preview of the chosen data: asked of the worker when the model, the data or a setting that bears on them changes,
// while the set-up is shown. The page needs no GPU for it.

import { create } from 'zustand';
import { CONFIG_KEYS, configFaults, fieldOf, type RunConfig } from '../../config/run-config';
import type { DataHead, DataPreview } from '../../data/sample/preview';
import type { ErrorInfo } from '../../base/errors';
import type { Event } from '../../worker/protocol';
import { useConfigStore } from './config';
import { useDeviceStore } from '../run/device';
import { send } from '../link';
import { useRunStore } from '../run/run';
import { chosenSources, useSourcesStore, type SourcesState } from './sources';

export interface InspectState {
  /** idle: nothing to look at, or not asked yet. */
  readonly status: 'idle' | 'asking' | 'ready' | 'failed';
  /** From the last answer for this data; while a new answer is pending, the one for the earlier settings. */
  readonly preview: DataPreview | null;
  /** The first rows of data that take long to count. */
  readonly head: DataHead | null;
  /** Progress of the count, 0 to 1; null if nothing is known yet. */
  readonly fraction: number | null;
  readonly error: ErrorInfo | null;
}

const NOTHING: InspectState = { status: 'idle', preview: null, head: null, fraction: null, error: null };

export const useInspectStore = create<InspectState>(() => NOTHING);

const SHAPING = CONFIG_KEYS.filter((key) => fieldOf(key).shapesData);
const DEBOUNCE_MS = 300;

interface Question {
  readonly config: RunConfig;
  readonly sources: SourcesState;
}

let latest = 0;
let asked: Question | null = null;
/** What the preview in the store describes, or will describe. */
let shown: Question | null = null;
let timer: ReturnType<typeof setTimeout> | undefined;

const sameData = ({ sources: a }: Question, { sources: b }: Question): boolean =>
  a.dataKind === b.dataKind && a.builtin === b.builtin && a.file === b.file && (a.dataKind === 'builtin' || a.heldOut === b.heldOut);

function same(a: Question, b: Question): boolean {
  const hub = a.sources.modelKind !== 'hub' || a.sources.hub === b.sources.hub;
  const model = a.sources.modelKind === b.sources.modelKind && a.sources.local?.files === b.sources.local?.files && hub;
  return model && sameData(a, b) && SHAPING.every((key) => JSON.stringify(a.config[key]) === JSON.stringify(b.config[key]));
}

/** Watches what the preview depends on. Returns the function that ends it. */
export function watchData(): () => void {
  const ends = [
    useConfigStore.subscribe(look),
    useSourcesStore.subscribe(look),
    useRunStore.subscribe(({ view }, before) => view !== before.view && look()),
    // A restarted worker has forgotten what it was asked.
    useDeviceStore.subscribe(({ device }, before) => {
      if (device.status !== 'opening' || device === before.device || useInspectStore.getState().status !== 'asking') return;
      asked = null;
      look();
    }),
  ];
  look();
  return () => {
    clearTimeout(timer);
    asked = null;
    latest++;
    useInspectStore.setState(NOTHING);
    for (const end of ends) end();
  };
}

/** Asks soon, unless the same question is pending or answered already, or it cannot be asked. */
function look(): void {
  const question: Question = { config: useConfigStore.getState().config, sources: useSourcesStore.getState() };
  if (!chosenSources(question.sources)) {
    clearTimeout(timer);
    latest++;
    asked = null;
    if (useInspectStore.getState().status !== 'idle') useInspectStore.setState(NOTHING);
    return;
  }
  if (useRunStore.getState().view !== 'setup') {
    // What was not answered yet is asked again: a start ends it.
    if (useInspectStore.getState().status === 'asking') asked = null;
    clearTimeout(timer);
    return;
  }
  if (asked && same(asked, question)) return;
  if (configFaults(question.config).some(({ key }) => SHAPING.includes(key))) return;
  // An old answer about other settings stays in view; one about other data does not.
  const keep = shown !== null && sameData(shown, question);
  asked = shown = question;
  useInspectStore.setState(({ preview }) => ({ ...NOTHING, status: 'asking', preview: keep ? preview : null }));
  clearTimeout(timer);
  timer = setTimeout(ask, DEBOUNCE_MS);
  latest++;
}

function ask(): void {
  const sources = asked && chosenSources(asked.sources);
  if (asked && sources) send({ type: 'inspect', id: latest, config: asked.config, ...sources });
}

/** Answers to older questions change nothing. */
export function takeInspection(event: Extract<Event, { type: 'inspecting' | 'inspected' | 'inspectFailed' }>): void {
  if (event.id !== latest) return;
  switch (event.type) {
    case 'inspecting':
      useInspectStore.setState((state) => {
        const head = event.head ?? state.head;
        // The old answer gives way to rows that are read in another way.
        const preview = head && state.preview?.format !== head.format ? null : state.preview;
        return { fraction: event.fraction, head, preview };
      });
      break;
    case 'inspected':
      useInspectStore.setState({ ...NOTHING, status: 'ready', preview: event.preview });
      break;
    case 'inspectFailed':
      useInspectStore.setState({ ...NOTHING, status: 'failed', error: event.error });
      break;
  }
}

export type DataStanding = 'unknown' | 'ready' | 'empty' | 'unmapped' | 'failed';

/** What the start of a run has to know: whether there is something to learn, as far as it is known. */
export function dataStanding({ status, preview, error }: InspectState): DataStanding {
  if (status === 'ready' && preview?.format === null && preview.columns.length > 0) return 'unmapped';
  const problem = error ?? (status === 'ready' ? (preview?.refusal ?? null) : null);
  if (problem) return problem.code === 'DATASET_EMPTY' || problem.code === 'NO_TARGETS' ? 'empty' : 'failed';
  return status === 'ready' ? 'ready' : 'unknown';
}

/** How many tokens of the vocabulary the data to train on uses; undefined until they are counted. */
export const distinctTokens = ({ status, preview }: InspectState): number | undefined =>
  status === 'ready' ? preview?.counts.distinct : undefined;
