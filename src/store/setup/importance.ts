// The importance of layers in the set-up: measured by the worker, or read from a file. The settings hold what a run takes from it
// (lisaProfile); the norms by layer and step are here, for as long as the page is open.

import { create } from 'zustand';
import { AppError, errorInfo, type ErrorInfo } from '../../base/errors';
import { DEFAULTS, defaultsFor, type RunConfig } from '../../config/run-config';
import { MAX_PROFILE_FILE, readProfile, useOf, writeProfile, type ImportanceProfile } from '../../lisa/profile';
import type { ProbeProgress } from '../../train/probe';
import type { Event } from '../../worker/protocol';
import { send } from '../link';
import { useDeviceStore } from '../run/device';
import { saveFile } from '../run/download';
import { isActive, useRunStore } from '../run/run';
import { setConfig, useConfigStore } from './config';
import { chosenSources, useSourcesStore } from './sources';

export interface ImportanceState {
  readonly status: 'idle' | 'measuring' | 'failed';
  /** While it is measured; null until the worker has begun. */
  readonly progress: ProbeProgress | null;
  /** The last one that was measured or opened. */
  readonly profile: ImportanceProfile | null;
  /** Why the last measurement or file came to nothing. */
  readonly error: ErrorInfo | null;
}

const NOTHING: ImportanceState = { status: 'idle', progress: null, profile: null, error: null };

export const useImportanceStore = create<ImportanceState>(() => NOTHING);

/** Number of the newest question; answers to older ones are not wanted any more. */
let latest = 0;

/** The settings of the LoRA that is trained: those of the run as far as they are about data and batches, LoRA's own rate and warm-up. */
export function probeConfig(config: RunConfig, steps: number): RunConfig {
  const { method, lr, lrSchedule, warmup } = defaultsFor({ method: 'lora', steps });
  const { lisaAdapt, lisaProfile, lisaWeights, lisaSampler } = DEFAULTS;
  return { ...config, method, steps, lr, lrSchedule, warmup, lisaAdapt, lisaProfile, lisaWeights, lisaSampler };
}

export function measure(steps: number): void {
  const sources = chosenSources(useSourcesStore.getState());
  if (!sources) return;
  useImportanceStore.setState({ status: 'measuring', progress: null, error: null });
  send({ type: 'measure', id: ++latest, config: probeConfig(useConfigStore.getState().config, steps), ...sources });
}

/** The last profile stays. */
export function cancelMeasurement(): void {
  if (useImportanceStore.getState().status !== 'measuring') return;
  latest++;
  useImportanceStore.setState({ status: 'idle', progress: null });
  send({ type: 'cancelMeasure' });
}

/** What was measured is used at once: that is what it was measured for. */
export function takeMeasurement(event: Extract<Event, { type: 'measuring' | 'measured' | 'measureFailed' }>): void {
  if (event.id !== latest) return;
  switch (event.type) {
    case 'measuring':
      return useImportanceStore.setState({ progress: event.progress });
    case 'measured':
      return adopt(event.profile);
    case 'measureFailed':
      return useImportanceStore.setState({ status: 'failed', progress: null, error: event.error });
  }
}

function adopt(profile: ImportanceProfile): void {
  useImportanceStore.setState({ ...NOTHING, profile });
  drawBy(profile);
}

/** The chosen sampler if it looks at weights. */
function weighing(): RunConfig['lisaSampler'] {
  const { lisaSampler } = useConfigStore.getState().config;
  return lisaSampler === 'uniform' || lisaSampler === 'cycle' ? 'weighted' : lisaSampler;
}

/** Draws layers by this profile, with a sampler that looks at it. */
export const drawBy = (profile: ImportanceProfile): void =>
  setConfig({ lisaProfile: useOf(profile), lisaWeights: null, lisaSampler: weighing() });

/** Draws layers by weights that a person gave them. */
export const paintWeights = (weights: readonly number[]): void =>
  setConfig({ lisaProfile: null, lisaWeights: weights, lisaSampler: weighing(), lisaAdapt: 'off' });

/** All layers are equal again. */
export function drawEqually(): void {
  const { lisaSampler, lisaAdapt } = useConfigStore.getState().config;
  const needed = lisaSampler === 'weighted' && lisaAdapt === 'off';
  setConfig({ lisaProfile: null, lisaWeights: null, ...(needed && { lisaSampler: 'uniform' }) });
}

/** Takes the file over as a whole, or nothing of it. */
export async function openProfile(file: File): Promise<void> {
  cancelMeasurement();
  try {
    if (file.size > MAX_PROFILE_FILE)
      throw new AppError('CONFIG_INVALID', `${file.name} is too large for an importance profile.`, 'Choose another file.');
    adopt(readProfile(await file.text(), file.name));
  } catch (thrown) {
    useImportanceStore.setState({ status: 'failed', progress: null, error: errorInfo(thrown) });
  }
}

export const saveProfile = (profile: ImportanceProfile): void =>
  saveFile(`importance-${profile.model.name}.json`, writeProfile(profile), 'application/json');

/** A run that starts ends the measurement, and so does a fresh worker. Returns the function that ends the watch. */
export function watchImportance(): () => void {
  const stop = (): void => {
    if (useImportanceStore.getState().status !== 'measuring') return;
    latest++;
    useImportanceStore.setState({ status: 'idle', progress: null });
  };
  const ends = [
    useRunStore.subscribe(({ run }, before) => {
      if (run?.runId !== before.run?.runId && isActive(run)) stop();
    }),
    useDeviceStore.subscribe(({ device }, before) => {
      if (device !== before.device && device.status !== 'ready') stop();
    }),
  ];
  return () => {
    stop();
    useImportanceStore.setState(NOTHING);
    for (const end of ends) end();
  };
}
