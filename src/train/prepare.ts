// Turns files into what a session trains on: model files, tokenizer, samples, prompts.

import { checkConfig, type ConfigKey, type ModelBounds, type RunConfig } from '../config/run-config';
import { chatOf } from '../data/tokenize/chat';
import { preparing, type Dataset, type Preparation } from '../data/sample/dataset';
import type { LoadedFiles } from '../data/sample/inspect';
import type { LoadConfig, LoadedData } from '../data/sample/loading';
import { parseRefusal } from '../data/read/parse';
import { loadTokenizer, type Tokenizer } from '../data/tokenize/tokenizer';
import type { DataRow, Message } from '../data/read/types';
import { AppError } from '../base/errors';
import type { FileSource } from '../io/sources/file-source';
import { openModel, type ModelFiles, type ModelTexts } from '../io/sources/model-files';
import { tokenizerText } from '../io/sources/tokenizer-text';
import { loadFiles, type DataInput } from './load-data';
import { Pace } from './pace';

export type { DataBytes } from './load-data';

/** A text that the model is to continue, or a conversation that it is to answer. */
export type PromptText = string | readonly Message[];

/** Reads what strangers wrote somewhere else, where it can be ended. */
export interface Elsewhere {
  /** The data in tokens. Rejects with Unwanted if they are no longer wanted. */
  load(config: LoadConfig): Promise<LoadedFiles>;
  promptIds(prompts: readonly PromptText[]): Promise<readonly (readonly number[])[]>;
}

export interface RunFiles {
  readonly model: FileSource;
  readonly data: DataInput;
  readonly evalData: DataInput | null;
}

interface Prompt {
  /** As the person wrote it. */
  readonly text: string;
  readonly ids: readonly number[];
}

export interface RunInputs {
  readonly config: RunConfig;
  readonly files: ModelFiles;
  readonly tokenizer: Tokenizer;
  readonly dataset: Dataset;
  /** True if rows are conversations: prompts are then user messages. */
  readonly chat: boolean;
  readonly prompts: readonly Prompt[];
  promptIds(prompts: readonly PromptText[]): Promise<readonly (readonly number[])[]>;
}

/** Thrown if the inputs are no longer wanted. */
export class Unwanted extends Error {}

/**
 * Number of default prompts, if the person gives none. They come from the held-out rows, so the run does not train on them. Each is sampled
 * several times in a run.
 */
const DEFAULT_PROMPTS = 3;
/** How many characters of a text a plain default prompt takes. */
const PLAIN_PROMPT_CHARS = 40;

/** What may be given with the files of a run. */
export interface Preparing {
  /** Names options in errors. */
  readonly label?: (key: ConfigKey) => string;
  /** May fit defaults to the model before they are checked. */
  readonly adapt?: (bounds: ModelBounds) => RunConfig;
  readonly wanted?: () => boolean;
  /** How much of the data has been read and tokenised: 0 to 1. */
  readonly progress?: (fraction: number) => void;
}

/** Opens, checks and encodes everything; nothing touches the GPU. Throws Unwanted once `wanted` returns false. */
export async function prepareInputs(
  asked: RunConfig,
  from: RunFiles | (Pick<RunFiles, 'model'> & { readonly elsewhere: Elsewhere }),
  { label, adapt = () => asked, wanted = () => true, progress }: Preparing = {},
): Promise<RunInputs> {
  checkConfig(adapt({ layers: Infinity, maxPositions: Infinity }), undefined, label);
  const files = await openModel(from.model);
  const { shape } = files;
  const config = adapt(shape);
  checkConfig(config, shape, label);
  const pace = new Pace(wanted);
  // Elsewhere first: what does not come to an end there never begins here.
  const loadedThere = 'elsewhere' in from ? await from.elsewhere.load(config) : null;
  if (!wanted()) throw new Unwanted();
  const tokenizer = await openTokenizer(files);
  const loaded = loadedThere ?? ('data' in from ? await loadFiles(from, tokenizer, config, pace, progress) : null);
  if (!loaded) throw new Unwanted();
  const { data, evaluation } = loaded;
  const unread = parseRefusal(data, config.badRows) ?? (evaluation && parseRefusal(evaluation, config.badRows));
  if (unread) throw unread;
  const dataset = await pace.finish(preparing(data, evaluation, config));
  if (!dataset) throw new Unwanted();
  if (dataset.refusal) throw dataset.refusal;
  const held = evaluation ? evaluation.firstRows : dataset.evaluation.length > 0 ? [...heldOutRows(data, dataset, tokenizer)] : [];
  // A long file with few held-out rows may have none among the rows that are kept as text.
  const rows = held.length > 0 ? held : data.firstRows;
  const { chat } = data;
  const promptIds = (texts: readonly PromptText[]): Promise<readonly (readonly number[])[]> =>
    'elsewhere' in from ? from.elsewhere.promptIds(texts) : Promise.resolve(encodePrompts(texts, tokenizer));
  const prompts = await choosePrompts(config, chat, rows, promptIds, label?.('prompts') ?? 'prompts');
  if (!wanted()) throw new Unwanted();
  return { config, files, tokenizer, dataset, chat, prompts, promptIds };
}

export async function openTokenizer(files: ModelTexts): Promise<Tokenizer> {
  const tokenizerJson = await tokenizerText(files);
  const optional = async (path: string): Promise<string | undefined> => (await files.text(path)) ?? undefined;
  return loadTokenizer(
    {
      tokenizerJson,
      tokenizerConfig: await optional('tokenizer_config.json'),
      generationConfig: await optional('generation_config.json'),
      chatTemplateJinja: await optional('chat_template.jinja'),
      modelConfig: files.configText,
    },
    files.shape.vocab,
  );
}

/** A prompt is a user message if the data is chat, else plain text to continue. */
async function choosePrompts(
  config: RunConfig,
  chat: boolean,
  rows: Iterable<DataRow>,
  promptIds: RunInputs['promptIds'],
  label: string,
): Promise<Prompt[]> {
  const texts = config.prompts.length > 0 ? config.prompts : defaultPrompts(rows);
  const ids = await promptIds(texts.map((text) => (chat ? [{ role: 'user', content: text }] : text)));
  if (ids.some(({ length }) => length === 0))
    throw new AppError('CONFIG_INVALID', `${label}: A prompt is empty.`, 'Give at least one character.');
  return texts.map((text, i) => ({ text, ids: ids[i] }));
}

/** Ids of what the model is to continue: a text, or a conversation and the beginning of the answer. */
export function encodePrompts(prompts: readonly PromptText[], tokenizer: Tokenizer): number[][] {
  return prompts.map((prompt) => {
    if (typeof prompt !== 'string') return chatOf(tokenizer).promptIds(prompt);
    const ids = tokenizer.encode(prompt);
    return tokenizer.addBos && tokenizer.bosId !== null ? [tokenizer.bosId, ...ids] : ids;
  });
}

function defaultPrompts(rows: Iterable<DataRow>): string[] {
  const prompts: string[] = [];
  for (const row of rows) {
    const text =
      row.kind === 'chat'
        ? row.messages.find((message) => message.role === 'user')?.content
        : row.text.slice(0, PLAIN_PROMPT_CHARS).replace(/\s+\S*$/, '');
    if (text && !prompts.includes(text)) prompts.push(text);
    if (prompts.length === DEFAULT_PROMPTS) break;
  }
  return prompts;
}

/** The rows that a split held out, as far as rows are kept; for one continuous text, its end from a whole word on. */
function* heldOutRows(data: LoadedData, { evaluation, held }: Preparation, tokenizer: Tokenizer): Generator<DataRow> {
  if (data.format === 'plain') {
    yield { kind: 'text', text: tokenizer.decode([...evaluation.at(0)!.ids]).replace(/^\S*\s+/, '') };
    return;
  }
  for (const [index, row] of data.firstRows.entries()) if (held.has(index)) yield row;
}
