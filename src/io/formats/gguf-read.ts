// Reads the header of a GGUF file: its typed metadata and the table of its tensors. The file is not trusted: counts are held against its size
// before anything is made, and every tensor must lie inside the file, on its own. Format: the GGUF specification of the ggml project.

import { AppError } from '../../base/errors';

type GgufScalar = number | string | boolean;
export type GgufItem = GgufScalar | readonly GgufScalar[];

/** How a tensor that can be read is stored; q8_0 in blocks of 32 with one f16 scale. */
type GgufStored = 'f32' | 'f16' | 'bf16' | 'q8_0';

export interface GgufEntry {
  readonly name: string;
  /** Row-major, outermost first; the file has them innermost first. */
  readonly shape: readonly number[];
  readonly type: GgufStored;
  /** Bytes in the file. */
  readonly start: number;
  readonly end: number;
}

export interface GgufHead {
  readonly metadata: ReadonlyMap<string, GgufItem>;
  readonly tensors: ReadonlyMap<string, GgufEntry>;
}

/** Bytes [start, end) of the file. */
type Read = (start: number, end: number) => Promise<Uint8Array>;

const MAGIC = 0x46554747;
/** Names and merges of 262,144 tokens take 10 MB. */
const MOST_HEADER = 2 ** 27;
const FIRST_READ = 2 ** 20;
const MOST_TENSORS = 2 ** 16;
const MOST_ELEMENTS = 2 ** 40;

const STORED: ReadonlyMap<number, GgufStored> = new Map([
  [0, 'f32'],
  [1, 'f16'],
  [8, 'q8_0'],
  [30, 'bf16'],
]);
// prettier-ignore
const OTHERS: Readonly<Record<number, string>> = {
  2: 'Q4_0', 3: 'Q4_1', 6: 'Q5_0', 7: 'Q5_1', 9: 'Q8_1', 10: 'Q2_K', 11: 'Q3_K', 12: 'Q4_K', 13: 'Q5_K', 14: 'Q6_K', 15: 'Q8_K', 16: 'IQ2_XXS', 17: 'IQ2_XS',
  18: 'IQ3_XXS', 19: 'IQ1_S', 20: 'IQ4_NL', 21: 'IQ3_S', 22: 'IQ2_S', 23: 'IQ4_XS', 24: 'I8', 25: 'I16', 26: 'I32', 27: 'I64', 28: 'F64', 29: 'IQ1_M', 39: 'MXFP4',
};

/** Bytes of values of fixed size, by the number of their type. */
const SIZES: Readonly<Record<number, number>> = { 0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8 };
const [STRING, ARRAY] = [8, 9];

/** Values of a q8_0 block, and its bytes. */
export const Q8 = { values: 32, bytes: 34 } as const;

/** Bytes of `count` values. */
const storedBytes = (type: GgufStored, count: number): number =>
  type === 'q8_0' ? (count / Q8.values) * Q8.bytes : count * (type === 'f32' ? 4 : 2);

/** More of the file is needed, up to `end`. */
class Short extends Error {
  constructor(readonly end: number) {
    super();
  }
}

/** Throws MODEL_FILE for a damaged file, and MODEL_UNSUPPORTED for tensors that are quantised in another way. */
export async function readGgufHead(name: string, size: number, read: Read): Promise<GgufHead> {
  for (let length = Math.min(size, FIRST_READ); ;) {
    try {
      return parseHead(name, size, await read(0, length));
    } catch (thrown) {
      if (!(thrown instanceof Short)) throw thrown;
      if (thrown.end > size || length === size) throw damaged(name, 'it ends inside its header');
      length = Math.min(size, Math.max(2 * length, thrown.end));
      if (length > MOST_HEADER) throw damaged(name, 'its header is impossibly long');
    }
  }
}

function parseHead(name: string, size: number, bytes: Uint8Array): GgufHead {
  const head = new Cursor(name, size, bytes);
  if (head.u32() !== MAGIC) throw damaged(name, 'it does not begin like one');
  const version = head.u32();
  if (version !== 2 && version !== 3)
    throw new AppError(
      'MODEL_UNSUPPORTED',
      `${name} is GGUF of version ${version}${version >= 2 ** 24 ? ' (big-endian)' : ''}; versions 2 and 3 are read.`,
      'Convert the model again with a current llama.cpp.',
    );
  const [tensors, keys] = [head.count(24), head.count(13)];
  if (tensors > MOST_TENSORS) throw damaged(name, `it says that it has ${tensors} tensors`);
  const metadata = new Map<string, GgufItem>();
  for (let i = 0; i < keys; i++) {
    const key = head.string();
    if (metadata.has(key)) throw damaged(name, `it has the key ${key} twice`);
    metadata.set(key, head.item(head.u32()));
  }
  const found: Omit<GgufEntry, 'end'>[] = [];
  for (let i = 0; i < tensors; i++) found.push(head.tensor());
  const alignment = metadata.get('general.alignment') ?? 32;
  if (typeof alignment !== 'number' || !Number.isInteger(alignment) || alignment < 1 || alignment > 2 ** 20)
    throw damaged(name, 'its alignment is impossible');
  const data = Math.ceil(head.at / alignment) * alignment;
  return { metadata, tensors: placed(name, size, data, alignment, found) };
}

function placed(
  name: string,
  size: number,
  data: number,
  alignment: number,
  found: readonly Omit<GgufEntry, 'end'>[],
): ReadonlyMap<string, GgufEntry> {
  const tensors = new Map<string, GgufEntry>();
  for (const { start, ...rest } of found) {
    const count = rest.shape.reduce((product, length) => product * length, 1);
    const end = start + storedBytes(rest.type, count);
    if (start % alignment !== 0 || data + end > size) throw damaged(name, `the tensor ${rest.name} lies outside of it`);
    if (tensors.has(rest.name)) throw damaged(name, `it has the tensor ${rest.name} twice`);
    tensors.set(rest.name, { ...rest, start: data + start, end: data + end });
  }
  let before = data;
  for (const { name: tensor, start, end } of [...tensors.values()].sort((a, b) => a.start - b.start || a.end - b.end)) {
    if (start < before) throw damaged(name, `the tensor ${tensor} overlaps another`);
    before = end;
  }
  return tensors;
}

class Cursor {
  at = 0;
  readonly #view: DataView;
  readonly #utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

  constructor(
    readonly name: string,
    readonly size: number,
    readonly bytes: Uint8Array,
  ) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  #take(length: number): number {
    const from = this.at;
    this.at += length;
    if (this.at > this.bytes.byteLength) throw new Short(this.at);
    return from;
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  u64(): number {
    const value = Number(this.#view.getBigUint64(this.#take(8), true));
    if (!Number.isSafeInteger(value)) throw damaged(this.name, 'it has an impossible count');
    return value;
  }

  /** A number of things of at least `least` bytes each: more than the file has room for are not believed. */
  count(least: number): number {
    const value = this.u64();
    if (value * least > this.size - this.at) throw damaged(this.name, 'it has an impossible count');
    return value;
  }

  string(): string {
    const length = this.count(1);
    const from = this.#take(length);
    try {
      return this.#utf8.decode(this.bytes.subarray(from, from + length));
    } catch (cause) {
      throw damaged(this.name, 'a text in it is not UTF-8', cause);
    }
  }

  item(type: number): GgufItem {
    if (type !== ARRAY) return this.#scalar(type);
    const inner = this.u32();
    if (inner === ARRAY) throw damaged(this.name, 'it has lists within lists');
    const count = this.count(inner === STRING ? 8 : this.#bytesOf(inner));
    return Array.from({ length: count }, () => this.#scalar(inner));
  }

  #bytesOf(type: number): number {
    const bytes = SIZES[type];
    if (bytes === undefined) throw damaged(this.name, `it has a value of the unknown type ${type}`);
    return bytes;
  }

  #scalar(type: number): GgufScalar {
    if (type === STRING) return this.string();
    const from = this.#take(this.#bytesOf(type));
    const view = this.#view;
    switch (type) {
      case 0:
        return view.getUint8(from);
      case 1:
        return view.getInt8(from);
      case 2:
        return view.getUint16(from, true);
      case 3:
        return view.getInt16(from, true);
      case 4:
        return view.getUint32(from, true);
      case 5:
        return view.getInt32(from, true);
      case 6:
        return view.getFloat32(from, true);
      case 7: {
        const value = view.getUint8(from);
        if (value > 1) throw damaged(this.name, 'a value that is neither true nor false');
        return value === 1;
      }
      case 10:
        return Number(view.getBigUint64(from, true));
      case 11:
        return Number(view.getBigInt64(from, true));
      default:
        return view.getFloat64(from, true);
    }
  }

  /** `start`: from the beginning of the data. */
  tensor(): Omit<GgufEntry, 'end'> {
    const name = this.string();
    const dimensions = this.u32();
    if (dimensions < 1 || dimensions > 4) throw damaged(this.name, `the tensor ${name} has ${dimensions} dimensions`);
    const shape = Array.from({ length: dimensions }, () => this.u64()).reverse();
    const elements = shape.reduce((product, length) => product * length, 1);
    if (!(elements >= 1 && elements <= MOST_ELEMENTS)) throw damaged(this.name, `the tensor ${name} has an impossible size`);
    const number = this.u32();
    const type = STORED.get(number);
    if (!type)
      throw new AppError(
        'MODEL_UNSUPPORTED',
        `${this.name}: the tensor ${name} is stored as ${OTHERS[number] ?? `type ${number}`}; F32, F16, BF16 and Q8_0 can be trained from.`,
        'Get the model as F16, BF16 or Q8_0, or in Hugging Face layout.',
      );
    if (type === 'q8_0' && shape[shape.length - 1] % Q8.values !== 0)
      throw damaged(this.name, `rows of the tensor ${name} are no whole blocks`);
    return { name, shape, type, start: this.u64() };
  }
}

const damaged = (name: string, reason: string, cause?: unknown): AppError =>
  new AppError('MODEL_FILE', `${name} is damaged, or is no GGUF file: ${reason}.`, 'Get the file again.', { cause });
