// A configuration as a JSON file: everything, so that a run can be repeated when the defaults have changed. Reading
// is strict: a file with one wrong value is refused as a whole. Pure.

import { AppError } from '../base/errors';
import { checkValue, configOf, keyNamed, type ConfigKey, type RunConfig } from './run-config';

const FORMAT = 'lisa-studio settings';
const VERSION = 1;
/** Characters; the largest file that this can write is far smaller. */
export const MAX_CONFIG_FILE = 1_000_000;

export const writeConfigFile = (config: RunConfig): string =>
  `${JSON.stringify({ format: FORMAT, version: VERSION, settings: config }, null, 2)}\n`;

const refuse = (detail: string, remedy: string, cause?: unknown): never => {
  throw new AppError('CONFIG_INVALID', detail, remedy, { cause });
};

/** Throws CONFIG_INVALID with everything that is wrong. `name` is the file's, for the message. */
export function readConfigFile(text: string, name: string): { readonly config: RunConfig; readonly given: readonly ConfigKey[] } {
  const faults: string[] = [];
  const found = new Map<ConfigKey, unknown>();
  for (const [written, value] of Object.entries(settingsOf(text, name))) {
    const key = keyNamed(written);
    if (key === null) {
      faults.push(`${shown(written)} is not a setting`);
      continue;
    }
    const checked = checkValue(key, value);
    if (checked.ok) found.set(key, checked.value);
    else faults.push(`${written} must be ${checked.expected}`);
  }
  if (faults.length > 0) {
    const others = faults.length > 3 ? `; and ${faults.length - 3} more` : '';
    refuse(`${name}: ${faults.slice(0, 3).join('; ')}${others}.`, 'Fix the file, or save one from this page. Nothing was changed here.');
  }
  return { config: configOf(Object.fromEntries(found)), given: [...found.keys()] };
}

function settingsOf(text: string, name: string): object {
  const remedy = 'Choose a file that this page has saved.';
  if (text.length > MAX_CONFIG_FILE) refuse(`${name} is too large for a settings file.`, remedy);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    refuse(`${name} is not valid JSON.`, remedy, cause);
  }
  const file = asObject(json);
  if (file?.get('format') !== FORMAT) return refuse(`${name} is not a settings file.`, remedy);
  if (file.get('version') !== VERSION) return refuse(`${name} has version ${shown(file.get('version'))}.`, 'Update the page.');
  const settings = file.get('settings');
  if (!asObject(settings)) return refuse(`${name} has no settings in it.`, remedy);
  return settings as object;
}

/** Own properties of an object that is not an array. */
const asObject = (value: unknown): ReadonlyMap<string, unknown> | null =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? new Map<string, unknown>(Object.entries(value)) : null;

/** A short form of an untrusted value. */
const shown = (value: unknown): string => (JSON.stringify(value) ?? 'undefined').slice(0, 40);
