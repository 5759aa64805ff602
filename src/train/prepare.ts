// From files to what a session trains on: model files, tokenizer, samples, prompts.

import { checkConfig, type ConfigKey, type ModelBounds, type RunConfig } from '../config';
import { chatOf } from '../data/chat';
import { prepareData, type Dataset } from '../data/dataset';
import { decodeUtf8, parseData, type ParsedData } from '../data/parse';
import { cutDocument, encodeRows } from '../data/samples';
import { loadTokenizer, type Tokenizer } from '../data/tokenizer';
import type { DataRow } from '../data/types';
import { AppError } from '../errors';
import type { FileSource } from '../io/file-source';
import { openModel, type ModelFiles, type ModelTexts } from '../io/model-files';

export interface DataBytes {
  /** File name; its ending says the format. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface RunFiles {
  readonly model: FileSource;
  readonly data: DataBytes;
  readonly evalData: DataBytes | null;
}

export interface Prompt {
  /** As a person wrote it. */
  readonly text: string;
  readonly ids: readonly number[];
}

export interface RunInputs {
  readonly config: RunConfig;
  readonly files: ModelFiles;
  readonly tokenizer: Tokenizer;
  readonly dataset: Dataset;
  /** Rows are conversations: prompts are user messages. */
  readonly chat: boolean;
  readonly prompts: readonly Prompt[];
}

/** Default prompts, where the person gives none: from the held-out rows, so that none is trained on. Each is sampled several times in a run. */
const DEFAULT_PROMPTS = 1;
/** Characters of a text that a plain prompt takes from its beginning. */
const PLAIN_PROMPT_CHARS = 40;

/**
 * Opens, checks and encodes everything; nothing touches the GPU. `label` names options in errors, `adapt` may
 * fit defaults to the model before they are checked.
 */
export async function prepareInputs(
  asked: RunConfig,
  from: RunFiles,
  label?: (key: ConfigKey) => string,
  adapt: (bounds: ModelBounds) => RunConfig = () => asked,
): Promise<RunInputs> {
  checkConfig(adapt({ layers: Infinity, maxPositions: Infinity }), undefined, label);
  const files = await openModel(from.model);
  const { shape } = files;
  const config = adapt(shape);
  checkConfig(config, shape, label);
  const tokenizer = await openTokenizer(files);
  const parse = ({ name, bytes }: DataBytes): ParsedData => parseData({ name, text: decodeUtf8(bytes, name) }, config);
  const data = parse(from.data);
  const evaluation = from.evalData && parse(from.evalData);
  const dataset = prepareData(data, evaluation, tokenizer, config);
  const rows = evaluation ? evaluation.rows : dataset.evaluation.length > 0 ? heldOutRows(data, dataset, tokenizer, config) : data.rows;
  const chat = data.rows.some((row) => row.kind === 'chat');
  const prompts = choosePrompts(config, chat, rows, tokenizer, label?.('prompts') ?? 'prompts');
  return { config, files, tokenizer, dataset, chat, prompts };
}

export async function openTokenizer(files: ModelTexts): Promise<Tokenizer> {
  const tokenizerJson = await files.text('tokenizer.json');
  if (tokenizerJson === null)
    throw new AppError('TOKENIZER', `${files.name} has no tokenizer.json.`, 'Add the tokenizer.json that belongs to the model.');
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

/** A prompt is a user message where the data is chat, else plain text to continue. */
function choosePrompts(config: RunConfig, chat: boolean, rows: Iterable<DataRow>, tokenizer: Tokenizer, label: string): Prompt[] {
  const texts = config.prompts.length > 0 ? config.prompts : defaultPrompts(rows);
  return texts.map((text) => {
    const ids = chat ? chatOf(tokenizer).promptIds([{ role: 'user', content: text }]) : plainPrompt(text, tokenizer);
    if (ids.length === 0) throw new AppError('CONFIG_INVALID', `${label}: A prompt is empty.`, 'Give at least one character.');
    return { text, ids };
  });
}

/** Ids of a text that the model is to go on with. */
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

/** The rows that a split held out, told by their tokens; of one continuous text, its end from a whole word on. */
function* heldOutRows(data: ParsedData, { evaluation }: Dataset, tokenizer: Tokenizer, { seqLen, mask }: RunConfig): Generator<DataRow> {
  if (data.format === 'plain') {
    yield { kind: 'text', text: tokenizer.decode([...evaluation[0].ids]).replace(/^\S*\s+/, '') };
    return;
  }
  const held = new Set(evaluation.map(({ ids }) => ids.join()));
  for (const row of data.rows) {
    const [document] = encodeRows([row], tokenizer, { seqLen, mask, badRows: 'skip', name: data.name, continuous: false }).documents;
    if (document && held.has(cutDocument(document.parts[0], seqLen)[0]?.ids.join())) yield row;
  }
}
