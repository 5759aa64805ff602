// The text of the start button: it starts the run, or names the first thing that is missing. Pure.

import type { ConfigFault, ConfigKey, Method } from '../config/run-config';
import type { LimitFault } from '../plan/forecast-limits';
import type { Verdict } from '../store/setup/budget';
import type { DataStanding } from '../store/setup/inspect';
import type { DeviceState } from '../store/run/device';
import type { SourcesState } from '../store/setup/sources';
import { LABELS, METHOD_NAMES } from './labels';

export interface StartState {
  readonly label: string;
  readonly ready: boolean;
  /** The option to look at; null if a person cannot fix anything there. */
  readonly focus: ConfigKey | null;
}

/** What is known before the run; the button does not wait for it. */
export interface Findings {
  /** The part of the plan that is larger than the device allows. */
  readonly limit: LimitFault | null;
  /** The verdict against the person's budget; null if no budget is set or nothing is known. */
  readonly verdict: Verdict | null;
  /** The state of the data preview. */
  readonly data: DataStanding;
  /** A model is being downloaded. */
  readonly downloading?: boolean;
}

export const NO_FINDINGS: Findings = { limit: null, verdict: null, data: 'unknown' };

const blocked = (label: string, focus: ConfigKey | null): StartState => ({ label, ready: false, focus });

export function startState(
  method: Method,
  device: DeviceState,
  sources: Pick<SourcesState, 'modelKind' | 'local' | 'hub' | 'dataKind' | 'file'>,
  faults: readonly ConfigFault[],
  { limit, verdict, data, downloading = false }: Findings = NO_FINDINGS,
): StartState {
  if (device.status === 'unavailable') return blocked('No GPU to train on', null);
  if (sources.modelKind === 'local') {
    if (!sources.local) return blocked('Choose a model folder', 'model');
    if (sources.local.error) return blocked('Choose another model folder', 'model');
    if (!sources.local.facts) return blocked('Reading the model’s headers…', null);
  }
  if (sources.modelKind === 'hub') {
    const { hub } = sources;
    if (hub.status === 'none') return blocked('Look up a model first', 'model');
    if (hub.status === 'looking') return blocked('Looking up the model…', null);
    if (hub.status === 'failed') return blocked('Look up another model', 'model');
    if (!hub.preflight.whole) return blocked(downloading ? 'Downloading the model…' : 'Download the model first', 'model');
  }
  if (sources.dataKind === 'file' && !sources.file) return blocked('Choose a data file', 'data');
  if (sources.dataKind === 'paste' && !sources.file) return blocked('Paste some data', 'data');
  const [fault] = faults;
  if (fault) return blocked(`Fix ${LABELS[fault.key].short}`, fault.key);
  if (data === 'unmapped') return blocked('Map the columns', 'columns');
  if (data === 'failed') return blocked('Fix the data', 'data');
  if (data === 'empty') return blocked('Choose data with tokens to learn', 'data');
  if (limit) return blocked('Too large for this device', limit.grows === 'batch' ? 'batchSize' : 'model');
  if (device.status === 'opening') return blocked('Opening the GPU…', null);
  const what = method === 'full' ? 'Start full fine-tuning' : `Start ${METHOD_NAMES[method]}`;
  return { label: verdict === 'exceeds' ? `${what} anyway` : what, ready: true, focus: null };
}
