// What `npm run forecast` does: the memory that a run would need, from its settings and the shape of its model. Neither a GPU nor
// weights nor data are needed; the figures are those of the plan that a run allocates, to the byte.

import { stat, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { AppError, errorInfo } from '../base/errors';
import { policiesOf } from '../config/policies';
import { checkConfig, type RunConfig } from '../config/run-config';
import { MEMORY_CATEGORIES, withTotal, type MemoryTotals } from '../dispatch/memory';
import { HubClient } from '../io/hub/client';
import { lookAtModel } from '../io/hub/look';
import { looksLikeHubName, parseHubName, parseToken } from '../io/hub/names';
import { nodeSource } from '../io/node/source';
import { compactTypes } from '../io/sources/model-facts';
import { openModel } from '../io/sources/model-files';
import { parseModelConfig } from '../model/config';
import { PUBLIC_CONFIGS, PUBLIC_TYPES, type PublicModel } from '../model/public-configs';
import type { CheckpointTypes, Dtype, ModelShape } from '../model/types';
import { forecast } from '../plan/forecast';
import { leverPrices, type LeverPrice } from '../plan/saving';
import { flagOf, parseOptions, type FinetuneOptions } from './finetune/options';
import { describeBudget, planBudget } from './finetune/budget';
import { megabytes } from './finetune/print';

export interface ForecastIo {
  stdout(text: string): void;
  stderr(text: string): void;
  /** Of the process: HF_TOKEN. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

interface KnownShape {
  readonly name: string;
  readonly shape: ModelShape;
  /** Of the checkpoint's tensors, as far as they can be told. */
  readonly types: CheckpointTypes;
}

const HELP = `Tells the GPU memory of a run before it runs, without a GPU, weights or data.

  npm run --silent forecast -- [--model <name>] [options of finetune] [--json]

  --model <name>   a known model (${Object.keys(PUBLIC_CONFIGS).join(', ')}),
                   a directory in Hugging Face layout, a config.json, or org/name of the Hub
  --embedding-rows <number>
                   how many tokens of the vocabulary occur in the data, for --lisa-embedding rows and
                   --lisa-head rows; without it all of them count
  --json           one JSON object: total and bytes by category of this run, and the same of full
                   fine-tuning, LoRA and LISA as published

Every setting of finetune counts, such as --method, --seq-len, --batch-size, --lisa-layers, --recompute,
--optimizer-state and --weights: see finetune --help.
`;

/** Exit status: 0, or 2 for bad input, with one line on standard error. */
export async function runForecast(args: readonly string[], io: ForecastIo): Promise<number> {
  try {
    const { rows, others } = takeRows(args);
    const options = parseOptions(others);
    if (options.help) {
      io.stdout(HELP);
      return 0;
    }
    const model = await modelOf(options, io);
    checkConfig(options.config, model.shape, flagOf);
    const { vocab, tied } = model.shape;
    if (rows !== null && rows > vocab)
      throw new AppError(
        'CONFIG_INVALID',
        `--embedding-rows: ${rows} is more than the vocabulary's ${vocab} tokens.`,
        `Give at most ${vocab}.`,
      );
    const { memoryBudget: budget, explicit: given } = options;
    const plan =
      budget === null
        ? null
        : planBudget({ shape: model.shape, config: options.config, budget, given, types: model.types, tokens: rows ?? vocab });
    if (plan && budget !== null && !options.json) io.stdout(`${describeBudget(plan, budget)}\n`);
    const config = plan?.config ?? options.config;
    const told = forecasts(model, config, rows ?? vocab);
    const levers = leverPrices(model.shape, config, model.types, rows ?? vocab);
    const { embedding, head } = policiesOf(config, tied);
    const unknown = rows === null && config.method === 'lisa' && [embedding, head].includes('rows');
    if (unknown) io.stderr('forecast: the data is not known, so all rows of the vocabulary count; --embedding-rows says how many train.\n');
    io.stdout(options.json ? `${JSON.stringify(asJson(model, told, levers))}\n` : `${table(model, told)}\n\n${leverLines(levers)}\n`);
    return 0;
  } catch (error) {
    const { code, detail, remedy } = errorInfo(error);
    io.stderr(`forecast: ${[detail, remedy].join(' ').replace(/\s+/g, ' ').trim()}\n`);
    return code === 'INTERNAL' ? 1 : 2;
  }
}

/** The option that finetune does not have. */
function takeRows(args: readonly string[]): { readonly rows: number | null; readonly others: string[] } {
  const flag = '--embedding-rows';
  const others: string[] = [];
  let rows: number | null = null;
  for (let i = 0; i < args.length; i++) {
    if (args[i] !== flag && !args[i].startsWith(`${flag}=`)) {
      others.push(args[i]);
      continue;
    }
    const text = args[i] === flag ? (args[++i] ?? '') : args[i].slice(flag.length + 1);
    rows = /^\d+$/.test(text) ? Number(text) : 0;
    if (rows < 1) throw new AppError('CONFIG_INVALID', `${flag}: '${text}' is not a number of tokens.`, 'Give a whole number from 1.');
  }
  return { rows, others };
}

async function modelOf({ config, hubUrl }: FinetuneOptions, io: ForecastIo): Promise<KnownShape> {
  const given = config.model;
  const known = given.toLowerCase();
  if (Object.hasOwn(PUBLIC_CONFIGS, known)) {
    const name = known as PublicModel;
    return { name, shape: parseModelConfig(PUBLIC_CONFIGS[name], name), types: PUBLIC_TYPES[name] };
  }
  const found = await stat(given).catch(() => null);
  if (found?.isFile()) return fromConfig(given);
  if (found?.isDirectory()) {
    const weights = await openModel(await nodeSource(given)).catch(() => null);
    if (weights) return { name: basename(given), shape: weights.shape, types: compactTypes(weights.types) };
    return fromConfig(join(given, 'config.json'));
  }
  if (looksLikeHubName(given)) {
    const { repo, revision } = parseHubName(given, hubUrl);
    const token = parseToken(io.env.HF_TOKEN ?? '');
    const { shape, types } = await lookAtModel(new HubClient({ url: hubUrl, token }), repo, revision);
    return { name: repo, shape, types };
  }
  throw new AppError(
    'CONFIG_INVALID',
    `--model: there is no ${given}.`,
    `Give a directory, a config.json, org/name of the Hub, or one of ${Object.keys(PUBLIC_CONFIGS).join(', ')}.`,
  );
}

const DTYPES: Readonly<Record<string, Dtype>> = { float16: 'f16', bfloat16: 'bf16', float32: 'f32' };

/** A config.json without weights beside it; it may say in which type they are published. */
async function fromConfig(path: string): Promise<KnownShape> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw new AppError('MODEL_UNSUPPORTED', `${path} cannot be read as JSON.`, 'Give the config.json of a model.', { cause });
  }
  const { torch_dtype: older, dtype = older } = (json ?? {}) as { torch_dtype?: unknown; dtype?: unknown };
  return { name: path, shape: parseModelConfig(json, path), types: DTYPES[String(dtype)] ?? 'f32' };
}

const LEVERS_OFF = { weightStorage: 'f32', optimizerState: 'f32', recompute: 'off', gradClipMode: 'global' } as const;
const ALL_ON = { lisaEmbedding: 'on', lisaHead: 'on', lisaNorm: 'on' } as const;

interface Told {
  readonly name: string;
  readonly json: string;
  readonly memory: MemoryTotals;
  readonly trainable: number;
  /** Bytes of K and V while sampling that lie in memory of other categories. */
  readonly reused: number;
}

/**
 * This run, and beside it full fine-tuning and LISA as published, both in f32 with everything kept, and LoRA over the same base
 * with the same recomputation: a saving that LoRA could have too is not LISA's.
 */
function forecasts({ shape, types }: KnownShape, config: RunConfig, dataTokens: number): readonly Told[] {
  const of = (name: string, json: string, changes: Partial<RunConfig>): Told => {
    const { bytes, reused = 0, trainable } = forecast(shape, { ...config, ...changes }, types, dataTokens);
    return { name, json, memory: withTotal(bytes), trainable, reused };
  };
  return [
    of('this run', 'run', {}),
    of('full, f32', 'full', { method: 'full', ...LEVERS_OFF }),
    of('LISA as published', 'lisaAsPublished', { method: 'lisa', ...ALL_ON, ...LEVERS_OFF }),
    of('LoRA, same base', 'lora', { method: 'lora' }),
  ];
}

function leverLines(levers: readonly LeverPrice[]): string {
  if (levers.length === 0)
    return 'No lever that saves memory is on: see --recompute, --optimizer-state, --weights, --lisa-embedding, --grad-clip-mode.';
  const lines = levers.map(
    ({ lever, saves, work }) =>
      `${LEVER_WORDS[lever].padEnd(38)} ${megabytes(saves).padStart(12)} ${work.toFixed(3).padStart(12)} × the work`,
  );
  return [`${'what each lever saves, given the others'.padEnd(38)}`, ...lines].join('\n');
}

const LEVER_WORDS: Readonly<Record<LeverPrice['lever'], string>> = {
  policies: 'policies of embedding, head and norm',
  recomputation: 'recomputation',
  precision: 'precision of what does not train',
  state: 'optimizer state in 8 bits',
  clipping: 'clipping by layer, updates at once',
};

function asJson({ name }: KnownShape, told: readonly Told[], levers: readonly LeverPrice[]): object {
  const shown = ({ memory: { total, ...bytes }, trainable, reused }: Told) => ({ total, bytes, reused, trainable });
  const [run, ...others] = told;
  return { model: name, ...shown(run), levers, ...Object.fromEntries(others.map((each) => [each.json, shown(each)])) };
}

function table({ name, shape }: KnownShape, told: readonly Told[]): string {
  const used = MEMORY_CATEGORIES.filter((category) => told.some(({ memory }) => memory[category] > 0));
  const row = (title: string, cells: readonly string[]): string => [title.padEnd(14), ...cells.map((cell) => cell.padStart(18))].join(' ');
  return [
    `${name}: ${shape.layers} layers, width ${shape.width}, vocabulary ${shape.vocab}`,
    row(
      'memory',
      told.map((each) => each.name),
    ),
    ...used.map((category) =>
      row(
        category,
        told.map(({ memory }) => megabytes(memory[category])),
      ),
    ),
    row(
      'total',
      told.map(({ memory }) => megabytes(memory.total)),
    ),
    row(
      'K/V reused',
      told.map(({ reused }) => megabytes(reused)),
    ),
    row(
      'trained a step',
      told.map(({ trainable }) => trainable.toLocaleString('en')),
    ),
  ].join('\n');
}
