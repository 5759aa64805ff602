// Writes and reads a configuration as the part of an address after '#': what differs from the defaults, in words that a
// person can read and edit. Pure. A link never contains long prompts or the names of local models, files or columns.

import { checkValue, CONFIG_KEYS, configOf, DEFAULTS, defaultsFor, fieldOf, keyNamed, type ConfigKey, type RunConfig } from './run-config';

/** A longer link did not come from this page. */
const MAX_LINK = 16_384;

export interface DroppedSetting {
  /** As written in the link. */
  readonly name: string;
  readonly expected: string;
}

export interface DecodedConfig {
  readonly config: RunConfig;
  /** Options that the link sets; the others may follow them. */
  readonly given: readonly ConfigKey[];
  /** Options that it names with a value that they cannot have. */
  readonly dropped: readonly DroppedSetting[];
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

function isShared<K extends ConfigKey>(key: K, value: RunConfig[K]): boolean {
  const { scope, longestInLink = Infinity, toLink } = fieldOf(key);
  return scope === undefined && toLink(value).length <= longestInLink;
}

/** The configuration as far as a link carries it. */
export function shareable(config: RunConfig): RunConfig {
  const hidden = CONFIG_KEYS.filter((key) => !isShared(key, config[key]));
  return { ...config, ...Object.fromEntries(hidden.map((key) => [key, DEFAULTS[key]])) };
}

/** Keys whose values differ from what they would be if nobody had set them; untouched options follow method and steps. */
export function changedKeys(config: RunConfig): ConfigKey[] {
  const usual = { ...defaultsFor(config), method: DEFAULTS.method, steps: DEFAULTS.steps };
  return CONFIG_KEYS.filter((key) => !same(config[key], usual[key]));
}

/** '' for the defaults. A value that the setting cannot have (half typed, for instance) is left out. */
export function encodeConfig(config: RunConfig): string {
  const shared = shareable(config);
  return changedKeys(shared)
    .filter((key) => checkValue(key, shared[key]).ok)
    .map((key) => `${key}=${encodeURIComponent(textOf(key, shared)).replaceAll('%2C', ',')}`)
    .join('&');
}

const textOf = <K extends ConfigKey>(key: K, config: RunConfig): string => fieldOf(key).toLink(config[key]);

/** Never throws, whatever it is given. `link` with or without '#'. */
export function decodeConfig(link: string): DecodedConfig {
  const dropped: DroppedSetting[] = [];
  const found = new Map<ConfigKey, unknown>();
  const body = link.replace(/^#/, '');
  if (body.length > MAX_LINK) {
    return { config: DEFAULTS, given: [], dropped: [{ name: 'the link', expected: `at most ${MAX_LINK} characters` }] };
  }
  for (const part of body.split('&')) {
    const at = part.indexOf('=');
    const name = at < 0 ? part : part.slice(0, at);
    const key = keyNamed(name);
    // An unknown name belongs to another program or another version.
    if (key === null || fieldOf(key).scope !== undefined) continue;
    const checked = checkValue(key, at < 0 ? undefined : read(key, part.slice(at + 1)));
    if (!checked.ok) dropped.push({ name, expected: checked.expected });
    else if (found.has(key)) dropped.push({ name, expected: 'one value' });
    else found.set(key, checked.value);
  }
  return { config: configOf(Object.fromEntries(found)), given: [...found.keys()], dropped };
}

/** The value as JSON would hold it; undefined if the text does not stand for a value. */
function read(key: ConfigKey, escaped: string): unknown {
  try {
    return fieldOf(key).fromLink(decodeURIComponent(escaped));
  } catch {
    return undefined; // a stray '%'
  }
}
