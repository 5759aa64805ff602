// The safetensors format: 8 bytes little-endian header length, a JSON header {name: {dtype, shape, data_offsets}}, then the
// tensors' bytes without gaps. Everything a file can get wrong is checked before a byte of data is used, each fault with a
// message of its own. Format: https://github.com/huggingface/safetensors#format Typed arrays are read as they lie in memory:
// machines that run WebGPU are little-endian, like the format.

import { AppError } from '../../base/errors';
import { shown } from '../../model/config';
import type { Dtype } from '../../model/types';
import { bf16ToF32, f16ToF32, narrow } from '../../base/half';
import { scanJson } from '../../base/json-scan';
import { piecesOf } from './pieces';

/** The reference implementation's bound on the header. */
export const MAX_HEADER = 100_000_000;

/** Bits of an element, for the check of byte ranges. A dtype that is not in this list is kept by name and never decoded. */
// prettier-ignore
const BITS: ReadonlyMap<string, number> = new Map([
  ['F4', 4], ['F6_E2M3', 6], ['F6_E3M2', 6], ['BOOL', 8], ['U8', 8], ['I8', 8], ['F8_E5M2', 8], ['F8_E4M3', 8], ['F8_E8M0', 8],
  ['I16', 16], ['U16', 16], ['F16', 16], ['BF16', 16], ['I32', 32], ['U32', 32], ['F32', 32],
  ['F64', 64], ['I64', 64], ['U64', 64], ['C64', 64],
]);

const READABLE: ReadonlyMap<string, Dtype> = new Map([
  ['F32', 'f32'],
  ['F16', 'f16'],
  ['BF16', 'bf16'],
]);

export interface TensorEntry {
  readonly name: string;
  /** As the file spells it: 'F32', 'I64', ... */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Byte range in the file. */
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  readonly metadata: ReadonlyMap<string, string>;
  readonly tensors: ReadonlyMap<string, TensorEntry>;
}

const AGAIN = 'Download or export the file again.';

const fault = (file: string, detail: string, remedy = AGAIN): AppError => new AppError('MODEL_FILE', `${file}: ${detail}`, remedy);

/** Bytes of the header, its 8 length bytes included, from the file's first 8 bytes (fewer if the file is shorter). */
export function headerSize(start: Uint8Array, fileSize: number, file: string): number {
  if (fileSize < 8 || start.byteLength < 8) throw fault(file, `the file has ${fileSize} bytes, too few for a safetensors file.`);
  if (new TextDecoder().decode(start.subarray(0, 8)) === 'version ') {
    throw fault(
      file,
      'this is a Git LFS pointer, not the weights.',
      'Fetch the file itself: git lfs pull, or download it from the model page.',
    );
  }
  const view = new DataView(start.buffer, start.byteOffset, 8);
  const length = view.getUint32(4, true) * 2 ** 32 + view.getUint32(0, true);
  if (length > MAX_HEADER)
    throw fault(
      file,
      `the header claims ${length} bytes; at most ${MAX_HEADER} are allowed. This is not a safetensors file, or it is damaged.`,
    );
  if (8 + length > fileSize) throw fault(file, `the header claims ${length} bytes, but the file has ${fileSize}: it is cut short.`);
  return 8 + length;
}

/** `bytes` holds at least the header (headerSize bytes from the start of the file). Throws MODEL_FILE. */
export function parseHeader(bytes: Uint8Array, fileSize: number, file: string): SafetensorsHeader {
  const size = headerSize(bytes, fileSize, file);
  if (bytes.byteLength < size) throw fault(file, `${bytes.byteLength} of ${size} bytes of the header could be read.`);
  const raw = headerJson(bytes.subarray(8, size), file);

  const tensors = new Map<string, TensorEntry>();
  let metadata: ReadonlyMap<string, string> = new Map();
  for (const [name, value] of Object.entries(raw)) {
    if (name === '__metadata__') metadata = readMetadata(value, file);
    else tensors.set(name, readEntry(name, value, size, fileSize, file));
  }
  checkCoverage([...tensors.values()], size, fileSize, file);
  return { metadata, tensors };
}

function headerJson(bytes: Uint8Array, file: string): object {
  let text: string;
  let json: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    json = JSON.parse(text);
  } catch (cause) {
    throw new AppError('MODEL_FILE', `${file}: the header is not valid JSON.`, AGAIN, { cause });
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw fault(file, 'the header is not a JSON object.');
  const { duplicate } = scanJson(text);
  if (duplicate) {
    const where =
      duplicate.under === null
        ? `tensor ${shown(duplicate.key)} is listed`
        : `tensor ${shown(duplicate.under)}: ${shown(duplicate.key)} is given`;
    throw fault(file, `${where} twice in the header.`);
  }
  return json;
}

function readMetadata(value: unknown, file: string): ReadonlyMap<string, string> {
  const entries = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : null;
  if (!entries || !entries.every((entry): entry is [string, string] => typeof entry[1] === 'string')) {
    throw fault(file, '__metadata__ in the header is not an object of strings.');
  }
  return new Map(entries);
}

function readEntry(name: string, value: unknown, dataStart: number, fileSize: number, file: string): TensorEntry {
  const tensor = `tensor ${shown(name)}`;
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw fault(file, `${tensor}: its header entry is not an object.`);
  // Own properties only.
  const fields = new Map<string, unknown>(Object.entries(value));
  const dtype = fields.get('dtype');
  const shape = fields.get('shape');
  const offsets = fields.get('data_offsets');
  if (typeof dtype !== 'string') throw fault(file, `${tensor}: dtype is ${shown(dtype)}, not a string.`);
  if (!isSizes(shape)) throw fault(file, `${tensor}: shape is ${shown(shape)}, not a list of whole numbers from 0.`);
  if (!isSizes(offsets) || offsets.length !== 2) throw fault(file, `${tensor}: data_offsets is ${shown(offsets)}, not [begin, end].`);
  const [begin, end] = offsets as [number, number];
  if (begin > end) throw fault(file, `${tensor}: data_offsets ${shown(offsets)} end before they begin.`);
  const dataSize = fileSize - dataStart;
  if (end > dataSize)
    throw fault(
      file,
      `${tensor}: its data ends at byte ${end} of the data, but the file holds ${dataSize}: it is cut short or the offsets are wrong.`,
    );

  const bits = BITS.get(dtype);
  if (bits !== undefined) {
    const elements = shape.reduce((product, size) => product * size, 1);
    // Compared in bits; a product that is no exact integer any more is far above any file's size.
    if (elements * bits !== (end - begin) * 8) {
      throw fault(
        file,
        `${tensor}: shape ${shown(shape)} of ${dtype} needs ${(elements * bits) / 8} bytes, but its data_offsets span ${end - begin}.`,
      );
    }
  }
  return { name, dtype, shape, begin: dataStart + begin, end: dataStart + end };
}

const isSizes = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((v) => typeof v === 'number' && Number.isSafeInteger(v) && v >= 0);

/** The tensors must tile the data: the format forbids overlaps and holes. */
function checkCoverage(tensors: TensorEntry[], dataStart: number, fileSize: number, file: string): void {
  tensors.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let cursor = dataStart;
  let previous = '';
  for (const { name, begin, end } of tensors) {
    if (begin < cursor) throw fault(file, `tensors ${shown(previous)} and ${shown(name)} overlap at byte ${begin} of the file.`);
    if (begin > cursor) throw fault(file, `${begin - cursor} bytes before tensor ${shown(name)} belong to no tensor.`);
    cursor = end;
    previous = name;
  }
  if (cursor < fileSize)
    throw fault(
      file,
      `${fileSize - cursor} bytes at the end of the file belong to no tensor${previous ? ` (the last is ${shown(previous)})` : ''}.`,
    );
}

/** The dtype of a tensor that will be used. Throws TENSOR_DTYPE. */
export function readableDtype(entry: { readonly name: string; readonly dtype: string }, file: string): Dtype {
  const dtype = READABLE.get(entry.dtype);
  if (dtype) return dtype;
  throw new AppError(
    'TENSOR_DTYPE',
    `${file}: tensor ${shown(entry.name)} is stored as ${shown(entry.dtype)}.`,
    'Use a checkpoint in F32, F16 or BF16 (not quantised).',
  );
}

/** A tensor's bytes as f32. F32 data that is aligned is not copied: the result may share the buffer of `bytes`. */
export function decodeTensor(bytes: Uint8Array<ArrayBuffer>, dtype: Dtype): Float32Array<ArrayBuffer> {
  const width = dtype === 'f32' ? 4 : 2;
  if (bytes.byteLength % width !== 0)
    throw new AppError('INTERNAL', `${bytes.byteLength} bytes are not a whole number of ${dtype} values.`, '');
  const aligned = bytes.byteOffset % width === 0 ? bytes : bytes.slice();
  const count = bytes.byteLength / width;
  if (dtype === 'f32') return new Float32Array(aligned.buffer, aligned.byteOffset, count);
  const codes = new Uint16Array(aligned.buffer, aligned.byteOffset, count);
  return dtype === 'f16' ? f16ToF32(codes) : bf16ToF32(codes);
}

/** f32 values as bytes of a dtype, rounded to nearest even. For f32 the result shares the buffer of `data`. */
export function encodeTensor(data: Float32Array<ArrayBuffer>, dtype: Dtype): Uint8Array<ArrayBuffer> {
  const values = dtype === 'f32' ? data : narrow(data, dtype);
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

export interface TensorToWrite {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /**
   * Elements [start, end). Called for one piece after another (pieces.ts) when the tensor's turn has come, so only one piece
   * is in memory at a time.
   */
  readonly data: (start: number, end: number) => Float32Array<ArrayBuffer> | Promise<Float32Array<ArrayBuffer>>;
}

export interface SafetensorsFile {
  /** Bytes of the whole file. */
  readonly size: number;
  chunks(): AsyncGenerator<Uint8Array<ArrayBuffer>>;
}

/** A file with its tensors sorted by name (data too) and the header padded to 8 bytes: the same input gives the same bytes. */
export function writeSafetensors(tensors: Iterable<TensorToWrite>, metadata: Readonly<Record<string, string>> = {}): SafetensorsFile {
  const sorted = [...tensors].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const keys = Object.keys(metadata).sort();
  const parts =
    keys.length === 0 ? [] : [`"__metadata__":{${keys.map((key) => `${JSON.stringify(key)}:${JSON.stringify(metadata[key])}`).join(',')}}`];
  let offset = 0;
  for (const [i, { name, dtype, shape }] of sorted.entries()) {
    if (name === '__metadata__' || name === sorted[i - 1]?.name)
      throw new AppError('INTERNAL', `Tensor name ${shown(name)} is reserved or occurs twice.`, '');
    const end = offset + bytesOf(shape, dtype);
    parts.push(
      `${JSON.stringify(name)}:{"dtype":"${dtype.toUpperCase()}","shape":${JSON.stringify(shape)},"data_offsets":[${offset},${end}]}`,
    );
    offset = end;
  }
  const json = new TextEncoder().encode(`{${parts.join(',')}}`);
  const length = Math.ceil(json.byteLength / 8) * 8;
  const header = new Uint8Array(8 + length).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set(json, 8);

  async function* chunks(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    yield header;
    for (const { name, dtype, shape, data } of sorted) {
      for (const [start, end] of piecesOf(shape.reduce((product, size) => product * size, 1))) {
        const values = await data(start, end);
        if (values.length !== end - start)
          throw new AppError(
            'INTERNAL',
            `Tensor ${shown(name)} gave ${values.length} values from ${start} on instead of ${end - start}.`,
            '',
          );
        yield encodeTensor(values, dtype);
      }
    }
  }
  return { size: header.byteLength + offset, chunks };
}

const bytesOf = (shape: readonly number[], dtype: Dtype): number =>
  shape.reduce((product, size) => product * size, dtype === 'f32' ? 4 : 2);
