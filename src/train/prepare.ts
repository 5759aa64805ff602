// Turns files into what a session trains on: model files, tokenizer, samples, prompts.

import { checkConfig, type ConfigKey, type ModelBounds, type RunConfig } from '../config/run-config';
import { chatOf } from '../data/tokenize/chat';
import { preparing, type Dataset, type Preparation } from '../data/sample/dataset';
import type { LoadedFiles } from '../data/sample/inspect';
import type { LoadedData } from '../data/sample/loading';
import { parseRefusal } from '../data/read/parse';
import { loadTokenizer, type Tokenizer } from '../data/tokenize/tokenizer';
import type { DataRow } from '../data/read/types';
import { AppError } from '../base/errors';
import type { FileSource } from '../io/sources/file-source';
import { openModel, type ModelFiles, type ModelTexts } from '../io/sources/model-files';
import { tokenizerText } from '../io/sources/tokenizer-text';
import { checkReadable, loadFiles, type DataInput } from './load-data';
import { Pace } from './pace';

export type { DataBytes } from './load-data';

export interface RunFiles {
  readonly model: FileSource;
  readonly data: DataInput;
  readonly evalData: DataInput | null;
  /** Result of tokenising the same data with this model's tokenizer earlier: they are not tokenised again. */
  readonly counted?: LoadedFiles | null;
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

/**
 * Opens, checks and encodes everything; nothing touches the GPU. `label` names options in errors, `adapt` may
 * fit defaults to the model before they are checked. Throws Unwanted once `wanted` returns false.
 */
export async function prepareInputs(
  asked: RunConfig,
  from: RunFiles,
  label?: (key: ConfigKey) => string,
  adapt: (bounds: ModelBounds) => RunConfig = () => asked,
  wanted: () => boolean = () => true,
): Promise<RunInputs> {
  checkConfig(adapt({ layers: Infinity, maxPositions: Infinity }), undefined, label);
  const files = await openModel(from.model);
  const { shape } = files;
  const config = adapt(shape);
  checkConfig(config, shape, label);
  const tokenizer = await openTokenizer(files);
  const pace = new Pace(wanted);
  if (from.counted) await checkReadable(from);
  const loaded = from.counted ?? (await loadFiles(from, tokenizer, config, pace));
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
  const prompts = choosePrompts(config, chat, rows, tokenizer, label?.('prompts') ?? 'prompts');
  return { config, files, tokenizer, dataset, chat, prompts };
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
function choosePrompts(config: RunConfig, chat: boolean, rows: Iterable<DataRow>, tokenizer: Tokenizer, label: string): Prompt[] {
  const texts = config.prompts.length > 0 ? config.prompts : defaultPrompts(rows);
  return texts.map((text) => {
    const ids = chat ? chatOf(tokenizer).promptIds([{ role: 'user', content: text }]) : plainPrompt(text, tokenizer);
    if (ids.length === 0) throw new AppError('CONFIG_INVALID', `${label}: A prompt is empty.`, 'Give at least one character.');
    return { text, ids };
  });
}

/** Ids of a text that the model is to continue. */
export function plainPrompt(text: string, tokenizer: Tokenizer): number[] {
  const ids = tokenizer.encode(text);
  return tokenizer.addBos && tokenizer.bosId !== null ? [tokenizer.bosId, ...ids] : ids;
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
