// The one loader of a model in Hugging Face layout, from any FileSource: config.json, the tokenizer's files and the
// weights in model.safetensors or in shards with an index. Opening reads headers only and checks everything that can be
// checked without the data; the data is then read in pieces of a few MiB, however large a tensor is.

import { AppError } from '../../base/errors';
import { parseModelConfig, shown } from '../../model/config';
import { parameterTable } from '../../model/parameters';
import { elementsOf, type Dtype, type ModelShape, type ParameterRow } from '../../model/types';
import { isPlainName, type FileSource } from './file-source';
import { piecesOf } from '../formats/pieces';
import { decodeTensor, headerSize, parseHeader, readableDtype } from '../formats/safetensors';
import { isIgnored, matchTensors, type StoredTensor } from './tensor-match';
import { checkTiedHead, checkTiedPiece } from './tied-head';

const CONFIG = 'config.json';
const SINGLE = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';

/** Files that an export copies unchanged, besides config.json. Licences stay with the weights. */
// prettier-ignore
export const COMPANIONS = new Set([
  'tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json', 'added_tokens.json', 'tokenizer.model', 'vocab.json', 'merges.txt',
  'chat_template.jinja', 'chat_template.json', 'generation_config.json', 'LICENSE', 'LICENSE.txt', 'LICENSE.md', 'LICENSES.md', 'NOTICE',
]);

/** Chat templates for other uses, such as tools. */
const FURTHER_TEMPLATE = /^additional_chat_templates\/[\w.-]+\.jinja$/;

/** JSON beside the weights is far smaller; a larger file would be something else under that name. */
const MAX_JSON = 64 * 2 ** 20;

/** Elements of a tensor from `start` on, in row-major order. */
export interface TensorPiece {
  readonly row: ParameterRow;
  readonly start: number;
  readonly data: Float32Array<ArrayBuffer>;
}

export interface ModelFiles {
  readonly name: string;
  /** The hub commit of the files; null if they come from elsewhere. */
  readonly commit: string | null;
  readonly shape: ModelShape;
  /** config.json as it is in the file. */
  readonly configText: string;
  readonly table: readonly ParameterRow[];
  /** config.json, the index if there is one, and the files of the weights. */
  readonly modelPaths: readonly string[];
  /** Companion files that are there, without config.json. */
  readonly passthrough: readonly string[];
  /** Parameters by the type they are stored in. */
  readonly dtypes: Readonly<Record<Dtype, number>>;
  /** The type that each parameter is stored in, by its name in the table. */
  readonly types: Readonly<Record<string, Dtype>>;
  /** The row's name in this checkpoint: with or without the base model's prefix. */
  fileName(row: ParameterRow): string;
  /** Elements [start, end) of a tensor (by default all), widened to f32. Throws NONFINITE_WEIGHTS, MODEL_FILE or MODEL_UNSUPPORTED. */
  tensor(row: ParameterRow, start?: number, end?: number): Promise<Float32Array<ArrayBuffer>>;
  /** All tensors in table order, each in pieces (pieces.ts), read one at a time. */
  pieces(): AsyncGenerator<TensorPiece>;
  /** A file of the folder, whole. */
  read(path: string): Promise<Uint8Array<ArrayBuffer>>;
  /** A text file of the folder; null when it is not there. */
  text(path: string): Promise<string | null>;
}

/** What is known about a model without its weights. */
export type ModelTexts = Pick<ModelFiles, 'name' | 'commit' | 'shape' | 'configText' | 'text'>;

/** Reads only config.json. Throws MODEL_FILE, MODEL_CONFIG or MODEL_UNSUPPORTED. */
export async function openModelTexts(source: FileSource): Promise<ModelTexts> {
  const paths = await source.list();
  const listed = new Set(paths);
  if (!listed.has(CONFIG)) throw noConfig(source, paths);
  const configText = await readText(source, CONFIG);
  return {
    name: source.name,
    commit: source.commit ?? null,
    shape: parseModelConfig(parseJson(configText, CONFIG, 'MODEL_CONFIG'), CONFIG),
    configText,
    text: (path) => (listed.has(path) ? readText(source, path) : Promise.resolve(null)),
  };
}

/** Throws MODEL_FILE, MODEL_CONFIG, MODEL_UNSUPPORTED, TENSOR_MISSING, TENSOR_SHAPE or TENSOR_DTYPE. */
export async function openModel(source: FileSource): Promise<ModelFiles> {
  const texts = await openModelTexts(source);
  const { shape } = texts;
  const paths = await source.list();
  const listed = new Set(paths);
  const table = parameterTable(shape);

  // As in Hugging Face's loader, a single file takes precedence over an index.
  const stored = listed.has(SINGLE)
    ? await readShard(source, SINGLE)
    : listed.has(INDEX)
      ? await readIndex(source, listed, shape)
      : noWeights(source, paths);
  const matched = matchTensors(shape, table, stored);

  const dtypes = { f32: 0, f16: 0, bf16: 0 };
  const types: Record<string, Dtype> = {};
  for (const row of table) {
    const entry = matched.get(row.name)!;
    types[row.name] = readableDtype(entry, entry.file);
    dtypes[types[row.name]] += elementsOf(row);
  }

  const tensor = async (row: ParameterRow, start = 0, end = elementsOf(row)): Promise<Float32Array<ArrayBuffer>> => {
    const entry = matched.get(row.name);
    if (!entry) throw new AppError('INTERNAL', `${row.name} is not a parameter of ${source.name}.`, '');
    const dtype = readableDtype(entry, entry.file);
    const width = dtype === 'f32' ? 4 : 2;
    const bytes = await source.read(entry.file, entry.begin + start * width, entry.begin + end * width);
    const head = row.role === 'embedding' && shape.tied && stored.get('lm_head.weight');
    if (head) {
      checkTiedHead(entry, head);
      await checkTiedPiece(source, entry, head, start * width, bytes);
    }
    const data = decodeTensor(bytes, dtype);
    checkFinite(data, start, entry);
    return data;
  };
  const weightFiles = new Set([...stored.values()].map(({ file }) => file));
  return {
    ...texts,
    table,
    modelPaths: [CONFIG, ...(listed.has(SINGLE) ? [] : [INDEX]), ...[...weightFiles].sort()],
    passthrough: paths.filter((path) => COMPANIONS.has(path) || FURTHER_TEMPLATE.test(path)).sort(),
    dtypes,
    types,
    fileName: (row) => matched.get(row.name)!.name,
    tensor,
    async *pieces() {
      for (const row of table) {
        for (const [start, end] of piecesOf(elementsOf(row))) yield { row, start, data: await tensor(row, start, end) };
      }
    },
    read: (path) => source.read(path),
  };
}

/** Throws NONFINITE_WEIGHTS with the place of the first NaN or infinity. `data` begins at element `start`. */
function checkFinite(data: Float32Array, start: number, { name, file, shape }: StoredTensor): void {
  const bits = new Uint32Array(data.buffer, data.byteOffset, data.length);
  for (let i = 0; i < bits.length; i++) {
    if ((bits[i] & 0x7f80_0000) !== 0x7f80_0000) continue;
    const place: number[] = [];
    let rest = start + i;
    for (const size of [...shape].reverse()) {
      place.unshift(rest % size);
      rest = Math.floor(rest / size);
    }
    const detail = `${file}: tensor ${shown(name)} holds ${data[i]} at [${place.join(', ')}].`;
    throw new AppError('NONFINITE_WEIGHTS', detail, 'The weights are damaged: download the model again or use another checkpoint.');
  }
}

async function readShard(source: FileSource, file: string): Promise<Map<string, StoredTensor>> {
  const fileSize = await source.size(file);
  const start = await source.read(file, 0, Math.min(8, fileSize));
  const bytes = await source.read(file, 0, headerSize(start, fileSize, file));
  const stored = new Map<string, StoredTensor>();
  for (const [name, entry] of parseHeader(bytes, fileSize, file).tensors) stored.set(name, { ...entry, file });
  return stored;
}

/** All tensors of a sharded checkpoint; index and shards must agree. */
async function readIndex(source: FileSource, listed: ReadonlySet<string>, shape: ModelShape): Promise<Map<string, StoredTensor>> {
  const weightMap = parseIndex(await readText(source, INDEX));
  const stored = new Map<string, StoredTensor>();
  for (const file of new Set(weightMap.values())) {
    if (!listed.has(file))
      throw new AppError('MODEL_FILE', `${INDEX} names ${shown(file)}, which is not in ${source.name}.`, 'Download the missing file.');
    for (const [name, tensor] of await readShard(source, file)) {
      if (weightMap.get(name) === file) stored.set(name, tensor);
      else if (!isIgnored(name, shape)) {
        const place = weightMap.get(name);
        throw new AppError(
          'MODEL_FILE',
          `${file}: tensor ${shown(name)} is here, but ${INDEX} ${place ? `places it in ${shown(place)}` : 'does not list it'}.`,
          'Use an index and shards from the same export.',
        );
      }
    }
  }
  for (const [name, file] of weightMap) {
    if (!stored.has(name))
      throw new AppError(
        'TENSOR_MISSING',
        `${INDEX} places tensor ${shown(name)} in ${file}, which does not contain it.`,
        'Download the file again.',
      );
  }
  return stored;
}

/** Tensor → file, from the index of a sharded checkpoint. Throws MODEL_FILE. */
export function parseIndex(text: string): Map<string, string> {
  const json = parseJson(text, INDEX, 'MODEL_FILE');
  const own = (value: unknown): [string, unknown][] =>
    typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
  const weightMap = new Map<string, string>();
  for (const [name, file] of own(new Map(own(json)).get('weight_map'))) {
    if (typeof file !== 'string' || !isPlainName(file) || !file.endsWith('.safetensors')) {
      const detail = `${INDEX}: weight_map places tensor ${shown(name)} in ${shown(file)}, which is not the plain name of a .safetensors file.`;
      throw new AppError('MODEL_FILE', detail, 'Put all shards beside the index and name them without a path.');
    }
    weightMap.set(name, file);
  }
  if (weightMap.size === 0) throw new AppError('MODEL_FILE', `${INDEX} has no weight_map with tensors.`, 'Download the file again.');
  return weightMap;
}

function noConfig(source: FileSource, paths: readonly string[]): AppError {
  const below = paths.filter((path) => path.endsWith(`/${CONFIG}`)).map((path) => path.slice(0, -CONFIG.length - 1));
  const remedy =
    below.length > 0
      ? `Choose the folder ${shown(below[0])} inside it.`
      : 'Choose a folder in Hugging Face layout: config.json, model.safetensors, tokenizer.json.';
  return new AppError('MODEL_FILE', `${source.name}: there is no ${CONFIG}.`, remedy);
}

function noWeights(source: FileSource, paths: readonly string[]): never {
  const other = paths.find((path) => /\.(bin|pth?|ckpt|gguf|onnx|h5|msgpack)$/.test(path));
  const instead = other
    ? ` The format of ${shown(other)} is not supported; convert it with save_pretrained(..., safe_serialization=True).`
    : '';
  throw new AppError('MODEL_FILE', `${source.name}: there is neither ${SINGLE} nor ${INDEX}.`, `Add the weights as ${SINGLE}.${instead}`);
}

async function readText(source: FileSource, path: string): Promise<string> {
  const size = await source.size(path);
  if (size > MAX_JSON)
    throw new AppError(
      'MODEL_FILE',
      `${source.name}: ${path} has ${size} bytes; at most ${MAX_JSON} are read.`,
      'The file is not what its name says: download it again.',
    );
  const bytes = await source.read(path, 0, size);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new AppError('MODEL_FILE', `${source.name}: ${path} is not UTF-8 text.`, 'Download the file again.', { cause });
  }
}

function parseJson(text: string, file: string, code: 'MODEL_CONFIG' | 'MODEL_FILE'): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    const where = cause instanceof Error ? ` (${cause.message})` : '';
    throw new AppError(code, `${file} is not valid JSON${where}.`, 'Download the file again.', { cause });
  }
}
