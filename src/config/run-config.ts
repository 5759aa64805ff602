// RunConfig: the settings of a run, as the table of settings (fields.ts) has them, with their defaults and their faults.

import { AppError } from '../base/errors';
import type { Checked, Fault, Field, Leads, Method, ModelBounds } from './field';
import { FIELDS } from './fields';
import type { NumberKind, ToggleKind } from './kinds';
import { policyFault, trainsAtEveryStep } from './policies';

export type { Method, ModelBounds } from './field';
export { BUILTIN_MODEL } from './fields/sources';
export { METHOD_LR } from './fields/run';

/** Everything a person chooses about a run. */
export type RunConfig = { readonly [K in keyof typeof FIELDS]: (typeof FIELDS)[K]['default'] };
export type ConfigKey = keyof RunConfig;
export type LrSchedule = RunConfig['lrSchedule'];
export type LisaSampler = RunConfig['lisaSampler'];

type KeysOf<Row> = { [K in ConfigKey]: (typeof FIELDS)[K] extends Row ? K : never }[ConfigKey];
/** Settings that are numbers. */
export type NumericKey = KeysOf<NumberKind>;
/** Settings that are on or off. */
export type ToggleKey = KeysOf<ToggleKind>;
/** Settings that are one of a few words. */
export type ChoiceKey = KeysOf<{ readonly type: 'choice' }>;
/** Settings of any other shape. */
export type OwnKey = Exclude<ConfigKey, NumericKey | ToggleKey | ChoiceKey>;

export const CONFIG_KEYS = Object.keys(FIELDS) as readonly ConfigKey[];

const TABLE: { readonly [K in ConfigKey]: Field<RunConfig[K]> } = FIELDS;

/** The row of a setting. */
export const fieldOf = <K extends ConfigKey>(key: K): Field<RunConfig[K]> => TABLE[key];

export const isConfigKey = (key: string): key is ConfigKey => Object.hasOwn(FIELDS, key);

const FORMER_NAMES: ReadonlyMap<string, ConfigKey> = new Map(
  CONFIG_KEYS.flatMap((key) => {
    const { formerly } = fieldOf(key);
    return formerly === undefined ? [] : [[formerly, key] as const];
  }),
);

/** The setting that a link, a file or a checkpoint names, by its current name or its former one; null: not a setting. */
export const keyNamed = (name: string): ConfigKey | null => (isConfigKey(name) ? name : (FORMER_NAMES.get(name) ?? null));

/** Returns stored settings under their current names. Their values are not checked yet. */
export const withCurrentNames = (stored: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(stored).map(([name, value]) => [keyNamed(name) ?? name, value as unknown]));

/** Whether the setting can have this value, which may come from a link or a file that anybody wrote. Looks at no other setting. */
export const checkValue = <K extends ConfigKey>(key: K, value: unknown): Checked<RunConfig[K]> => fieldOf(key).check(value);

/** Whether a run with this method uses the setting. */
export const appliesTo = (key: ConfigKey, method: Method): boolean => fieldOf(key).methods?.includes(method) ?? true;

const make = (valueOf: <K extends ConfigKey>(key: K) => RunConfig[K]): RunConfig =>
  Object.fromEntries(CONFIG_KEYS.map((key) => [key, valueOf(key)])) as unknown as RunConfig;

/** The settings of LISA's best row for the built-in model (docs/results.md). */
export const DEFAULTS: RunConfig = make((key) => fieldOf(key).default);

/** The defaults of a run of this method and length: some settings follow them. */
export const defaultsFor = ({ method, steps }: Leads): RunConfig => ({
  ...make((key) => fieldOf(key).follows?.({ method, steps }) ?? fieldOf(key).default),
  method,
  steps,
});

/** The configuration with these choices: every other setting has its default, which may follow them. */
export const configOf = (given: Partial<RunConfig>): RunConfig => ({ ...defaultsFor({ ...DEFAULTS, ...given }), ...given });

/** Keys whose values differ from the defaults, for run cards and comparisons. */
export function configDiff(config: RunConfig, from: RunConfig = DEFAULTS): Partial<RunConfig> {
  const entries = CONFIG_KEYS.filter((key) => JSON.stringify(config[key]) !== JSON.stringify(from[key]));
  return Object.fromEntries(entries.map((key) => [key, config[key]]));
}

export interface ConfigFault extends Fault {
  readonly key: ConfigKey;
}

/** Every fault of a configuration, by option; empty when it can run. Without `model`, only what holds for every model. */
export function configFaults(config: RunConfig, model?: ModelBounds): ConfigFault[] {
  const own = CONFIG_KEYS.flatMap((key) => faultOf(key, config, model) ?? []);
  // A setting that is wrong by itself needs no second sentence about what goes with it.
  const between = relationFaults(config, model).filter(({ key }) => own.every((fault) => fault.key !== key));
  return [...own, ...between];
}

function faultOf<K extends ConfigKey>(key: K, config: RunConfig, model: ModelBounds | undefined): ConfigFault | null {
  const fault = fieldOf(key).fault?.(config[key], appliesTo(key, config.method) ? model : undefined);
  return fault ? { key, ...fault } : null;
}

/** What settings require of each other, and what lists require of the model. */
function relationFaults(config: RunConfig, model?: ModelBounds): ConfigFault[] {
  const { method, steps, warmup, lisaSampler, lisaWeights, lisaProfile, lisaAdapt } = config;
  const faults: ConfigFault[] = [];
  if (warmup > steps) {
    faults.push({
      key: 'warmup',
      problem: `Warm-up of ${warmup} steps is longer than the run of ${steps}.`,
      remedy: 'Lower the warm-up or raise the steps.',
    });
  }
  if (!model || method !== 'lisa') return faults;
  const weights = (problem: string, remedy: string): unknown => faults.push({ key: 'lisaWeights', problem, remedy });
  if (lisaWeights && lisaWeights.length !== model.layers)
    weights(`${lisaWeights.length} weights for ${model.layers} layers.`, 'Enter one weight per layer.');
  else if (lisaWeights && !lisaWeights.some((weight) => weight > 0))
    weights('All layer weights are zero.', 'Enter at least one weight above zero.');
  if (lisaWeights && lisaProfile) weights('Layer weights and an importance profile are given.', 'Remove one of them.');
  if (lisaSampler === 'weighted' && !lisaWeights && !lisaProfile && lisaAdapt === 'off')
    weights('The weighted sampler has no weights.', 'Measure the importance, enter one weight per layer, or choose another sampler.');
  if (lisaAdapt !== 'off' && (lisaSampler === 'uniform' || lisaSampler === 'cycle'))
    faults.push({
      key: 'lisaAdapt',
      problem: `The ${lisaSampler} sampler does not look at importance.`,
      remedy: 'Choose the weighted sampler, or switch this off.',
    });
  if (lisaAdapt === 'updates' && !config.measureUpdates)
    faults.push({ key: 'lisaAdapt', problem: 'How far layers move is not measured.', remedy: 'Switch the measurement on.' });
  if (lisaSampler === 'algorithm1' && !trainsAtEveryStep(config, model.tied === true))
    faults.push({
      key: 'lisaSampler',
      problem: 'Algorithm 1 may draw no layer, and nothing else trains at every step.',
      remedy: 'Train the embedding, the head or the final norm at every step, or choose another sampler.',
    });
  const policies = policyFault(config, model.tied === true);
  return policies ? [...faults, policies] : faults;
}

/** Throws CONFIG_INVALID with the first fault. `label` turns a key into what the person typed: '--lisa-layers'. */
export function checkConfig(config: RunConfig, model?: ModelBounds, label: (key: ConfigKey) => string = (key) => key): void {
  const [fault] = configFaults(config, model);
  if (fault) throw new AppError('CONFIG_INVALID', `${label(fault.key)}: ${fault.problem}`, fault.remedy);
}
