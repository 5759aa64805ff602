// Named lengths of a run. A preset sets its own keys and no others; how long it takes depends on the device. Pure.

import { DEFAULTS, type ConfigKey, type RunConfig } from './run-config';

export type PresetId = 'quick' | 'default' | 'overnight';

export interface Preset {
  readonly id: PresetId;
  readonly name: string;
  readonly hint: string;
  readonly patch: Pick<RunConfig, 'steps' | 'stepsPerPeriod' | 'evalEvery'>;
}

/** K grows with the steps: every layer is expected to be drawn several times in each. */
export const PRESETS: readonly Preset[] = [
  {
    id: 'quick',
    name: 'Quick look',
    hint: 'Does it learn at all?',
    patch: { steps: 30, stepsPerPeriod: 2, evalEvery: 15 },
  },
  {
    id: 'default',
    name: 'Good default',
    hint: 'A tuned model to keep.',
    patch: { steps: DEFAULTS.steps, stepsPerPeriod: DEFAULTS.stepsPerPeriod, evalEvery: DEFAULTS.evalEvery },
  },
  {
    id: 'overnight',
    name: 'Overnight',
    hint: 'For more data or a larger model.',
    patch: { steps: 20_000, stepsPerPeriod: 20, evalEvery: 1000 },
  },
];

/** The preset that these settings match, or 'custom' once one of its keys differs. */
export function presetOf(config: RunConfig): PresetId | 'custom' {
  const is = ({ patch }: Preset): boolean =>
    (Object.keys(patch) as (ConfigKey & keyof Preset['patch'])[]).every((key) => config[key] === patch[key]);
  return PRESETS.find(is)?.id ?? 'custom';
}
