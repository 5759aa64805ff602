// What the start button says: it starts, or names the first thing that is missing. Pure.

import type { ConfigFault, ConfigKey, Method } from '../config';
import type { DeviceState } from '../store/device';
import type { SourcesState } from '../store/sources';
import { LABELS, METHOD_NAMES } from './labels';

export interface StartState {
  readonly label: string;
  readonly ready: boolean;
  /** The option to look at; null when there is nothing that a person can set right. */
  readonly focus: ConfigKey | null;
}

const blocked = (label: string, focus: ConfigKey | null): StartState => ({ label, ready: false, focus });

export function startState(
  method: Method,
  device: DeviceState,
  sources: Pick<SourcesState, 'modelKind' | 'local' | 'dataKind' | 'file'>,
  faults: readonly ConfigFault[],
): StartState {
  if (device.status === 'unavailable') return blocked('No GPU to train on', null);
  if (sources.modelKind === 'local') {
    if (!sources.local) return blocked('Choose a model folder', 'model');
    if (sources.local.error) return blocked('Choose another model folder', 'model');
    if (!sources.local.shape) return blocked('Reading the model’s shape…', null);
  }
  if (sources.dataKind === 'file' && !sources.file) return blocked('Choose a data file', 'data');
  const [fault] = faults;
  if (fault) return blocked(`Fix ${LABELS[fault.key].short}`, fault.key);
  if (device.status === 'opening') return blocked('Opening the GPU…', null);
  return { label: method === 'full' ? 'Start full fine-tuning' : `Start ${METHOD_NAMES[method]}`, ready: true, focus: null };
}
