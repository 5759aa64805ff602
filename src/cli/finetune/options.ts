// The options of `npm run finetune`: those of the table of settings, and below them those of the command itself, in the
// same form. Parsing, checks and --help read both.

import { parseArgs } from 'node:util';
import { AppError } from '../../base/errors';
import { bytes } from '../../config/bytes';
import { good, row, type Field, type Kind } from '../../config/field';
import { choice, last, optional, text, toggle } from '../../config/kinds';
import { checkConfig, CONFIG_KEYS, configOf, fieldOf, type ConfigKey, type RunConfig } from '../../config/run-config';
import { DEFAULT_HUB, parseHubUrl } from '../../io/hub/names';
import { GGUF_TYPES } from '../../io/formats/gguf';

const address: Kind<string> = { ...text('address'), parse: (texts) => good(parseHubUrl(last(texts))) };

/** What the command does beside the run. */
const COMMAND = {
  /** The directory that gets the run as files for other engines; nothing is trained then. */
  elsewhere: row(optional(text('dir')), {
    default: null,
    flag: 'continue-elsewhere',
    help: 'train nothing; write the run for engines of several GPUs to this directory: an axolotl YAML, an LMFlow script, and what they do differently',
  }),
  out: row(optional(text('dir')), {
    default: null,
    flag: 'out',
    help: 'where the tuned model and the reports go (default: runs/<date>-<method>)',
  }),
  outDtype: row(choice('f32', 'f16', 'bf16'), { default: 'f32', flag: 'out-dtype', help: 'type of the exported weights' }),
  /** Also as GGUF, with matrices of this type. */
  gguf: row(optional(choice(...GGUF_TYPES)), {
    default: null,
    flag: 'gguf',
    help: 'also write model.gguf for llama.cpp, and adapter.gguf for LoRA (default: none)',
  }),
  /** Compare the frozen weights with what they were at the end of every period. */
  verify: row(toggle, {
    default: false,
    flag: 'verify',
    help: 'read the frozen weights back at the end of every period and check that no bit of them has changed',
  }),
  /** Address of the hub that holds `org/name`. */
  hubUrl: row(address, {
    default: DEFAULT_HUB,
    flag: 'hub-url',
    help: 'address of the Hub or of a mirror; a token is read from HF_TOKEN',
  }),
  /** Null: the system's place for caches. */
  cacheDir: row(optional(text('dir')), {
    default: null,
    flag: 'cache-dir',
    help: 'where models of the Hub are kept (default: lisa-studio/models in XDG_CACHE_HOME or ~/.cache)',
  }),
  /** Settings that nobody gave are chosen so that the run fits these bytes of GPU memory. */
  memoryBudget: row(optional(bytes), {
    default: null,
    flag: 'memory-budget',
    help: 'GPU memory that the run may take, such as 1.5GB: settings that you do not give are chosen to fit, those that cost least first',
  }),
  resume: row(optional(text('dir')), { default: null, flag: 'resume', help: 'resume the run in this directory from its checkpoint' }),
};

type Command = { readonly [K in keyof typeof COMMAND]: (typeof COMMAND)[K]['default'] };

export interface FinetuneOptions extends Command {
  readonly config: RunConfig;
  /** What the person gave; the rest may adapt to the model. */
  readonly explicit: ReadonlySet<ConfigKey>;
  /** Replace what --out holds. */
  readonly overwrite: boolean;
  /** Export the last good step where a run diverges, or of a checkpoint without training on. */
  readonly exportLast: boolean;
  /** After the run, show that LISA does what it promises with this model, data and settings. */
  readonly prove: boolean;
  readonly json: boolean;
  readonly help: boolean;
}

type AnyField = Field<unknown>;
const COMMAND_FIELDS: Readonly<Record<string, AnyField>> = COMMAND;
const ALL: readonly AnyField[] = [...CONFIG_KEYS.map((key): AnyField => fieldOf(key)), ...Object.values(COMMAND_FIELDS)];

function defaultOf({ default: value, follows, toFlag }: AnyField): string {
  const [written] = toFlag(value);
  return written === undefined || follows ? '' : ` (default ${written})`;
}

export function helpText(): string {
  const lines = ALL.map((field) => `${`  --${field.flag} <${field.placeholder}>`.padEnd(44)} ${field.help}${defaultOf(field)}`);
  return [
    'Fine-tunes a small language model with LISA (arXiv 2403.17919), LoRA or full AdamW, on WebGPU.',
    'Without options: the built-in model on the built-in data with LISA.',
    '',
    '  npm run --silent finetune -- [options]',
    '',
    ...lines,
    `  ${'--overwrite'.padEnd(42)} replace the results that --out holds, once the new ones are complete`,
    `  ${'--export-last'.padEnd(42)} if the loss stops being a number, export the model of the last good step; with --resume, export the checkpoint without training`,
    `  ${'--prove'.padEnd(42)} after the run, show with figures that LISA does what it promises: frozen is frozen, memory is flat and as forecast, γ = L is full training`,
    `  ${'--json'.padEnd(42)} events as JSON lines on standard output, the report last`,
    `  ${'--help'.padEnd(42)} this text`,
    '',
  ].join('\n');
}

/** The option that a person would type for a setting. */
export const flagOf = (key: ConfigKey): string => `--${fieldOf(key).flag}`;

type Texts = Readonly<Record<string, readonly string[] | boolean | undefined>>;

/** The value that was given for a row; undefined if none was. Throws CONFIG_INVALID, or what the row's own parser throws. */
function given({ flag, parse }: AnyField, texts: Texts): { readonly value: unknown } | undefined {
  const found = texts[flag];
  if (!Array.isArray(found)) return undefined;
  try {
    const parsed = parse(found as readonly string[]);
    if (parsed.ok) return parsed;
    throw new AppError('CONFIG_INVALID', parsed.problem, parsed.remedy);
  } catch (thrown) {
    throw thrown instanceof AppError ? new AppError(thrown.code, `--${flag}: ${thrown.detail}`, thrown.remedy, { cause: thrown }) : thrown;
  }
}

/** Throws CONFIG_INVALID for an unknown option, a value of the wrong kind or out of range. */
export function parseOptions(args: readonly string[]): FinetuneOptions {
  const texts = withoutAuto(readTexts(args));
  const choices = new Map<ConfigKey, unknown>();
  for (const key of CONFIG_KEYS) {
    const found = given(fieldOf(key), texts);
    if (found) choices.set(key, found.value);
  }
  const command = Object.fromEntries(
    Object.entries(COMMAND_FIELDS).map(([name, field]) => [name, (given(field, texts) ?? { value: field.default }).value]),
  ) as unknown as Command;
  const other = [...choices.keys()].find((key) => fieldOf(key).scope !== 'source');
  if (command.resume !== null && other !== undefined)
    throw new AppError(
      'CONFIG_INVALID',
      `${flagOf(other)}: a resumed run keeps the settings it was started with.`,
      'Leave it out, or start a new run.',
    );
  const config = configOf(Object.fromEntries(choices));
  checkConfig(config, undefined, flagOf);
  return {
    ...command,
    config,
    explicit: new Set(choices.keys()),
    overwrite: texts.overwrite === true,
    exportLast: texts['export-last'] === true,
    prove: texts.prove === true,
    json: texts.json === true,
    help: texts.help === true,
  };
}

/** `--recompute auto` leaves the choice to the budget, as if it were not given. */
function withoutAuto(texts: Texts): Texts {
  const { recompute, ...others } = texts;
  if (!Array.isArray(recompute) || recompute.at(-1) !== 'auto') return texts;
  if (texts['memory-budget'] !== undefined) return others;
  throw new AppError(
    'CONFIG_INVALID',
    '--recompute: auto needs a budget to choose for.',
    'Give --memory-budget, or one of off, mlp and layer.',
  );
}

/** Options that are not known, or have no value where they need one, are refused in the words of Node. */
function readTexts(args: readonly string[]): Texts {
  // A negative number after an option is its value; parseArgs wants it joined by '='.
  const joined: string[] = [];
  for (let i = 0; i < args.length; i++) {
    if (/^--[a-z0-9-]+$/.test(args[i]) && /^-[\d.]/.test(args[i + 1] ?? '')) joined.push(`${args[i]}=${args[++i]}`);
    else joined.push(args[i]);
  }
  const options = Object.fromEntries(ALL.map(({ flag }) => [flag, { type: 'string' as const, multiple: true }]));
  try {
    return parseArgs({
      args: joined,
      options: {
        ...options,
        overwrite: { type: 'boolean' },
        'export-last': { type: 'boolean' },
        prove: { type: 'boolean' },
        json: { type: 'boolean' },
        help: { type: 'boolean' },
      },
      strict: true,
      allowPositionals: false,
    }).values;
  } catch (cause) {
    const message = (cause as Error).message.replace(/\. To specify.*$/s, '').replace(/\.?$/, '.');
    throw new AppError('CONFIG_INVALID', message, '--help lists all options.', { cause });
  }
}
