// The options of `npm run finetune`: one table for parsing, checks and help.

import { parseArgs } from 'node:util';
import { BOUNDS, checkConfig, DEFAULTS, METHOD_LR, type ConfigKey, type NumericKey, type RunConfig } from '../../config/run-config';
import { COLUMN_ROLES, type ColumnMap } from '../../data/read/column-map';
import { DEFAULT_HUB, parseHubUrl } from '../../io/hub/names';
import { AppError } from '../../base/errors';
import { GGUF_TYPES, type GgufType } from '../../io/formats/gguf';
import type { Dtype } from '../../model/types';

export interface FinetuneOptions {
  readonly config: RunConfig;
  /** What the person gave; the rest may adapt to the model. */
  readonly explicit: ReadonlySet<ConfigKey>;
  readonly out: string | null;
  readonly outDtype: Dtype;
  /** Also as GGUF, with matrices of this type. */
  readonly gguf: GgufType | null;
  readonly resume: string | null;
  /** Address of the hub that `org/name` is of. */
  readonly hubUrl: string;
  /** Null: where the system keeps caches. */
  readonly cacheDir: string | null;
  /** A directory for the run as files for other engines; nothing is trained then. */
  readonly elsewhere: string | null;
  /** Compare the frozen weights with what they were at the end of every period. */
  readonly verify: boolean;
  readonly json: boolean;
  readonly help: boolean;
}

interface Option {
  readonly flag: string;
  readonly key?: ConfigKey;
  readonly value: string;
  readonly help: string;
  readonly multiple?: boolean;
}

const numeric = (flag: string, key: NumericKey, help: string): Option => ({ flag, key, value: 'number', help });
const choice = (flag: string, key: ConfigKey, values: readonly string[], help: string): Option => ({
  flag,
  key,
  value: values.join('|'),
  help,
});

export const OPTIONS: readonly Option[] = [
  {
    flag: 'model',
    key: 'model',
    value: 'dir|name',
    help: 'directory in Hugging Face layout, org/name[@revision] of the hub, or a built-in name',
  },
  { flag: 'data', key: 'data', value: 'file|name', help: '.jsonl, .csv or .txt file, or a built-in name' },
  { flag: 'eval-data', key: 'evalData', value: 'file', help: 'held-out data' },
  numeric('eval-split', 'evalSplit', 'share of the rows to hold out where there is no --eval-data'),
  numeric('eval-every', 'evalEvery', 'evaluate every so many steps; 0: before and after only'),
  choice('method', 'method', ['lisa', 'lora', 'full'], 'what is trained'),
  numeric('steps', 'steps', 'optimizer steps'),
  numeric('seq-len', 'seqLen', 'tokens of a row, at most'),
  numeric('batch-size', 'batchSize', 'rows of a micro-batch'),
  numeric('grad-accum', 'gradAccum', 'micro-batches of a step'),
  {
    flag: 'lr',
    key: 'lr',
    value: 'number',
    help: `peak learning rate (default by method: LISA ${METHOD_LR.lisa}, full ${METHOD_LR.full}, LoRA ${METHOD_LR.lora})`,
  },
  choice('lr-schedule', 'lrSchedule', ['constant', 'linear', 'cosine'], 'after the warm-up'),
  { flag: 'warmup', key: 'warmup', value: 'number', help: 'steps of linear warm-up (default: a tenth of the steps, at most 10)' },
  numeric('weight-decay', 'weightDecay', 'decoupled, on matrices and embeddings'),
  numeric('beta1', 'beta1', 'AdamW'),
  numeric('beta2', 'beta2', 'AdamW'),
  numeric('eps', 'eps', 'AdamW'),
  numeric('grad-clip', 'gradClip', 'largest gradient norm; 0: off'),
  numeric('seed', 'seed', 'of layers drawn, row order, LoRA start, sampling'),
  numeric('lisa-layers', 'lisaLayers', 'γ: middle layers trained at a time'),
  numeric('lisa-period', 'lisaPeriod', 'K: steps until the next draw'),
  choice('lisa-sampler', 'lisaSampler', ['uniform', 'bernoulli', 'cycle', 'weighted'], 'how layers are drawn'),
  { flag: 'lisa-weights', key: 'lisaWeights', value: 'w0,w1,…', help: 'one weight per layer, for weighted and bernoulli' },
  { flag: 'lisa-train', key: 'lisaTrain', value: 'embedding,head,norm', help: 'what trains all the time; none: only drawn layers' },
  choice('lisa-state', 'lisaState', ['drop', 'park'], "a leaving layer's optimizer state: dropped, or kept in host memory"),
  numeric('lisa-rewarm', 'lisaRewarm', 'updates over which a joining layer comes up to the learning rate; 0: at once'),
  choice('weights', 'weights', ['f32', 'stored'], 'on the GPU: all as f32, or what does not train in the 16 bits that it is stored in'),
  choice('measure-updates', 'measureUpdates', ['on', 'off'], 'how far each layer moved when it leaves, in report.json'),
  numeric('lora-rank', 'loraRank', 'r'),
  numeric('lora-alpha', 'loraAlpha', 'α'),
  choice('mask', 'mask', ['assistant', 'all'], 'which tokens of chats carry loss'),
  choice('packing', 'packing', ['on', 'off'], 'several rows in one'),
  choice('shuffle', 'shuffle', ['on', 'off'], 'new order every epoch'),
  choice('bad-rows', 'badRows', ['refuse', 'skip'], 'malformed rows'),
  {
    flag: 'columns',
    key: 'columns',
    value: 'field=column,…',
    help: 'where the data calls them otherwise: prompt=question,completion=answer',
  },
  choice('dedupe', 'dedupe', ['on', 'off'], 'copies of held-out rows leave training'),
  numeric('save-every', 'saveEvery', 'checkpoint every so many steps; 0: at the end only'),
  {
    flag: 'prompt',
    key: 'prompts',
    value: 'text',
    help: 'what is sampled (repeatable): a user message, or text to continue',
    multiple: true,
  },
  numeric('temperature', 'temperature', 'of samples; 0: greedy'),
  choice('sample-at', 'sampleAt', ['ends', 'log'], 'samples before and after only, or after steps 10, 20, 40, 80 … too'),
  {
    flag: 'continue-elsewhere',
    value: 'dir',
    help: 'train nothing; write the run for engines of several GPUs there: an axolotl YAML, an LMFlow script, what they do otherwise',
  },
  { flag: 'out', value: 'dir', help: 'where the tuned model and the reports go (default: runs/<date>-<method>)' },
  { flag: 'out-dtype', value: 'f32|f16|bf16', help: 'type of the exported weights (default f32)' },
  { flag: 'gguf', value: GGUF_TYPES.join('|'), help: 'also write model.gguf for llama.cpp, and adapter.gguf for LoRA (default: none)' },
  {
    flag: 'verify',
    value: 'on|off',
    help: 'read the frozen weights back at the end of every period: bit for bit what they were? (default off)',
  },
  { flag: 'hub-url', value: 'address', help: `the hub, or a mirror of it (default ${DEFAULT_HUB}); a token is read from HF_TOKEN` },
  { flag: 'cache-dir', value: 'dir', help: 'where models of the hub are kept (default: lisa-studio/models in XDG_CACHE_HOME or ~/.cache)' },
  { flag: 'resume', value: 'dir', help: 'go on from the checkpoint of the run in this directory' },
];

const onOff = (value: boolean): string => (value ? 'on' : 'off');

function defaultOf({ key }: Option): string {
  if (!key || key === 'lr' || key === 'warmup' || key === 'prompts') return '';
  const value = DEFAULTS[key];
  if (value === null) return '';
  if (key === 'lisaTrain') return ' (default embedding,head,norm)';
  return ` (default ${typeof value === 'boolean' ? onOff(value) : String(value)})`;
}

export function helpText(): string {
  const lines = OPTIONS.map((option) => {
    const left = `  --${option.flag} <${option.value}>`;
    return `${left.padEnd(44)} ${option.help}${defaultOf(option)}`;
  });
  return [
    'Fine-tunes a small language model with LISA (arXiv 2403.17919), LoRA or full AdamW, on WebGPU.',
    'Without options: the built-in model on the built-in data with LISA.',
    '',
    '  npm run --silent finetune -- [options]',
    '',
    ...lines,
    `  ${'--json'.padEnd(42)} events as JSON lines on standard output, the report last`,
    `  ${'--help'.padEnd(42)} this text`,
    '',
  ].join('\n');
}

const refuse = (flag: string, problem: string, remedy: string): never => {
  throw new AppError('CONFIG_INVALID', `--${flag}: ${problem}`, remedy);
};

/** The option that a person would type for a config key. */
export const flagOf = (key: ConfigKey): string => `--${OPTIONS.find((option) => option.key === key)?.flag ?? key}`;

/** Throws CONFIG_INVALID for an unknown option, a value of the wrong kind or out of range. */
export function parseOptions(args: readonly string[]): FinetuneOptions {
  let parsed: ReturnType<typeof read>;
  try {
    parsed = read(args);
  } catch (cause) {
    const text = (cause as Error).message.replace(/\. To specify.*$/s, '').replace(/\.?$/, '.');
    throw new AppError('CONFIG_INVALID', text, '--help lists all options.', { cause });
  }
  const config: Record<string, unknown> = { ...DEFAULTS };
  const explicit = new Set<ConfigKey>();
  for (const option of OPTIONS) {
    const given = parsed.values[option.flag];
    if (!option.key || given === undefined) continue;
    explicit.add(option.key);
    config[option.key] = Array.isArray(given) ? given : valueOf(option, String(given));
  }
  const made = config as unknown as RunConfig;
  const outDtype = String(parsed.values['out-dtype'] ?? 'f32');
  if (!['f32', 'f16', 'bf16'].includes(outDtype)) refuse('out-dtype', `'${outDtype}' is not known.`, 'Give f32, f16 or bf16.');
  const gguf = GGUF_TYPES.find((type) => type === parsed.values.gguf) ?? null;
  if (gguf === null && parsed.values.gguf !== undefined)
    refuse('gguf', `'${String(parsed.values.gguf)}' is not known.`, `Give ${GGUF_TYPES.join(', ')}.`);
  const verify = String(parsed.values.verify ?? 'off');
  if (!['on', 'off'].includes(verify)) refuse('verify', `'${verify}' is not known.`, 'Give on or off.');
  const text = (flag: string): string | null => (parsed.values[flag] === undefined ? null : String(parsed.values[flag]));
  const resume = text('resume');
  if (resume !== null) {
    const other = [...explicit].find((key) => !['model', 'data', 'evalData'].includes(key));
    if (other) refuse(flagOf(other).slice(2), 'a resumed run keeps the settings it was started with.', 'Leave it out, or start a new run.');
  }
  const complete: RunConfig = {
    ...made,
    lr: explicit.has('lr') ? made.lr : METHOD_LR[made.method],
    warmup: explicit.has('warmup') ? made.warmup : Math.min(DEFAULTS.warmup, Math.ceil(made.steps / 10)),
  };
  checkConfig(complete, undefined, flagOf);
  return {
    config: complete,
    explicit,
    out: text('out'),
    outDtype: outDtype as Dtype,
    gguf,
    resume,
    hubUrl: hubUrlOf(text('hub-url')),
    cacheDir: text('cache-dir'),
    elsewhere: text('continue-elsewhere'),
    verify: verify === 'on',
    json: parsed.values.json === true,
    help: parsed.values.help === true,
  };
}

function hubUrlOf(text: string | null): string {
  try {
    return text === null ? DEFAULT_HUB : parseHubUrl(text);
  } catch (thrown) {
    throw thrown instanceof AppError ? new AppError(thrown.code, `--hub-url: ${thrown.detail}`, thrown.remedy, { cause: thrown }) : thrown;
  }
}

function read(args: readonly string[]): { values: Record<string, string | boolean | (string | boolean)[] | undefined> } {
  const options = Object.fromEntries(OPTIONS.map(({ flag, multiple }) => [flag, { type: 'string' as const, multiple: multiple ?? false }]));
  // A negative number after an option is its value; parseArgs wants it joined by '='.
  const joined: string[] = [];
  for (let i = 0; i < args.length; i++) {
    if (/^--[a-z0-9-]+$/.test(args[i]) && /^-[\d.]/.test(args[i + 1] ?? '')) joined.push(`${args[i]}=${args[++i]}`);
    else joined.push(args[i]);
  }
  return parseArgs({
    args: joined,
    options: { ...options, json: { type: 'boolean' }, help: { type: 'boolean' } },
    strict: true,
    allowPositionals: false,
  });
}

function valueOf(option: Option, text: string): unknown {
  const key = option.key!;
  if (key === 'lisaTrain') return lisaTrain(text);
  if (key === 'columns') return columnMap(text);
  if (key === 'lisaWeights') {
    const weights = text.split(',').map((part) => (part.trim() === '' ? NaN : Number(part)));
    if (weights.some((w) => !Number.isFinite(w) || w < 0))
      refuse(option.flag, `'${text}' is no list of numbers ≥ 0.`, 'Give one number per layer, separated by commas.');
    return weights;
  }
  if (key in BOUNDS) {
    const value = text.trim() === '' ? NaN : Number(text);
    if (!Number.isFinite(value)) refuse(option.flag, `'${text}' is not a number.`, 'Give a number.');
    return value;
  }
  if (!option.value.includes('|') || ['model', 'data'].includes(key)) return text;
  const values = option.value.split('|');
  if (!values.includes(text)) refuse(option.flag, `'${text}' is not known.`, `Give ${values.join(', ')}.`);
  return values.includes('on') ? text === 'on' : text;
}

function lisaTrain(text: string): RunConfig['lisaTrain'] {
  const names = text === 'none' || text === '' ? [] : text.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !['embedding', 'head', 'norm'].includes(name));
  if (unknown !== undefined) refuse('lisa-train', `'${unknown}' is not known.`, "Give a list of embedding, head, norm, or 'none'.");
  return { embedding: names.includes('embedding'), head: names.includes('head'), norm: names.includes('norm') };
}

/** prompt=question,completion=answer. A column's name may hold commas and equals signs. */
function columnMap(text: string): ColumnMap {
  const fields = COLUMN_ROLES.join(', ');
  const entries = text.split(new RegExp(`,(?=\\s*(?:${COLUMN_ROLES.join('|')})=)`)).map((part) => {
    const [, role = '', column = ''] = /^\s*(\w+)=(.*)$/s.exec(part) ?? [];
    if (!COLUMN_ROLES.some((known) => known === role) || column.trim() === '')
      refuse(
        'columns',
        `'${part}' is no field=column.`,
        `Give columns for any of ${fields}, for example prompt=question,completion=answer.`,
      );
    return [role, column] as const;
  });
  const twice = entries.find(([role], i) => entries.findIndex(([other]) => other === role) !== i);
  if (twice) refuse('columns', `${twice[0]} is given twice.`, 'Give one column for a field.');
  return Object.fromEntries(entries);
}
