// A configuration as the part of an address after '#': what differs from the defaults, in words that a person can
// read and edit. Pure. Names of local models, files and columns never enter a link, nor do long prompts.

import { DEFAULTS, defaultsFor, type ConfigKey, type RunConfig } from './run-config';
import { checkValue, isConfigKey } from './values';

/** What only this machine knows; a link means nothing by it elsewhere. */
const LOCAL: readonly ConfigKey[] = ['model', 'data', 'evalData', 'columns'];
const MAX_PROMPTS_LENGTH = 600;
/** Longer ones are no links of ours. */
const MAX_LINK = 16_384;

const SHARED = (Object.keys(DEFAULTS) as ConfigKey[]).filter((key) => !LOCAL.includes(key));

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

const tooLong = (prompts: RunConfig['prompts']): boolean => JSON.stringify(prompts).length > MAX_PROMPTS_LENGTH;

/** The configuration as far as a link carries it. */
export function shareable(config: RunConfig): RunConfig {
  const { model, data, evalData, columns, prompts } = DEFAULTS;
  return { ...config, model, data, evalData, columns, prompts: tooLong(config.prompts) ? prompts : config.prompts };
}

/** Keys whose values are not what they would be if nobody had set them: untouched options follow method and steps. */
export function changedKeys(config: RunConfig): ConfigKey[] {
  const usual = { ...defaultsFor(config), method: DEFAULTS.method, steps: DEFAULTS.steps };
  return (Object.keys(DEFAULTS) as ConfigKey[]).filter((key) => !same(config[key], usual[key]));
}

/** '' for the defaults. A value that is no valid one, half typed for instance, is left out. */
export function encodeConfig(config: RunConfig): string {
  const shared = shareable(config);
  return changedKeys(shared)
    .filter((key) => SHARED.includes(key) && checkValue(key, shared[key]).ok)
    .map((key) => `${key}=${encodeURIComponent(write(key, shared)).replaceAll('%2C', ',')}`)
    .join('&');
}

function write(key: ConfigKey, config: RunConfig): string {
  switch (key) {
    case 'lisaTrain':
      return EDGES.filter((edge) => config.lisaTrain[edge]).join(',') || 'none';
    case 'lisaWeights':
      return (config.lisaWeights ?? []).join(',');
    case 'prompts':
      return JSON.stringify(config.prompts);
    default:
      return String(config[key]);
  }
}

const EDGES = ['embedding', 'head', 'norm'] as const;

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
    const key = at < 0 ? part : part.slice(0, at);
    // A name that is not known is somebody else's, or another version's.
    if (!isConfigKey(key) || !SHARED.includes(key)) continue;
    const value = at < 0 ? undefined : read(key, part.slice(at + 1));
    const checked = checkValue(key, value);
    if (!checked.ok) dropped.push({ name: key, expected: checked.expected });
    else if (found.has(key)) dropped.push({ name: key, expected: 'one value' });
    else found.set(key, checked.value);
  }
  const usual = defaultsFor({ ...DEFAULTS, ...(Object.fromEntries(found) as Partial<RunConfig>) });
  return { config: { ...usual, ...(Object.fromEntries(found) as Partial<RunConfig>) }, given: [...found.keys()], dropped };
}

/** The value as JSON would hold it; undefined where the text is none. */
function read(key: ConfigKey, written: string): unknown {
  let text: string;
  try {
    text = decodeURIComponent(written);
  } catch {
    return undefined; // a stray '%'
  }
  if (key === 'lisaTrain') return readEdges(text);
  if (key === 'lisaWeights') return text.split(',').map(readNumber);
  if (key === 'prompts') return readJson(text);
  const usual = DEFAULTS[key];
  if (typeof usual === 'number') return readNumber(text);
  if (typeof usual === 'boolean') return text === 'true' ? true : text === 'false' ? false : undefined;
  return text;
}

function readEdges(text: string): unknown {
  const names = text === 'none' ? [] : text.split(',');
  if (!names.every((name) => EDGES.some((edge) => edge === name))) return undefined;
  return Object.fromEntries(EDGES.map((edge) => [edge, names.includes(edge)]));
}

/** NaN, which no option takes, for anything but a plain decimal number. */
const readNumber = (text: string): number => (/^-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : NaN);

function readJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
