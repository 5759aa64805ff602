// Writes GGUF version 3, the file that llama.cpp and its relatives load: typed metadata, a table of tensors, then their
// data, each aligned. Sizes are known before any tensor is asked for; tensors are asked for one at a time, in pieces.
// Format: the GGUF specification of the ggml project.

import { AppError } from '../../base/errors';
import { narrow } from '../../base/half';

/** Metadata values with their type: a bare number would not say whether it is an integer of 32 bits or a float. */
export type GgufValue =
  | { readonly type: 'u32' | 'i32' | 'f32'; readonly value: number }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'strings'; readonly value: readonly string[] }
  | { readonly type: 'i32s' | 'f32s'; readonly value: ArrayLike<number> };

export type GgufMetadata = ReadonlyMap<string, GgufValue>;

/** How a tensor is stored: f32, f16, or q8_0 (blocks of 32 with one f16 scale). */
export const GGUF_TYPES = ['f32', 'f16', 'q8_0'] as const;
export type GgufType = (typeof GGUF_TYPES)[number];

export interface GgufTensor {
  readonly name: string;
  /** Row-major, outermost first; the file stores them innermost first. */
  readonly shape: readonly number[];
  readonly type: GgufType;
  /** Its values, in order and in pieces of any size (whole blocks for q8_0); requested once, when its turn has come. */
  pieces(): Iterable<Float32Array> | AsyncIterable<Float32Array>;
}

export interface GgufFile {
  /** Bytes of the whole file. */
  readonly size: number;
  chunks(): AsyncGenerator<Uint8Array<ArrayBuffer>>;
}

const MAGIC = 0x46554747; // 'GGUF', little-endian
const VERSION = 3;
const ALIGNMENT = 32;
const VALUE_TYPES = { u32: 4, i32: 5, f32: 6, bool: 7, string: 8, array: 9 } as const;
const TENSOR_TYPES: Readonly<Record<GgufType, number>> = { f32: 0, f16: 1, q8_0: 8 };
/** Weights of a q8_0 block. */
export const Q8_BLOCK = 32;
const Q8_BYTES = Q8_BLOCK + 2;
const F16_INFINITY = 0x7c00;

const elements = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);
const aligned = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

function ggufBytes(shape: readonly number[], type: GgufType): number {
  const count = elements(shape);
  if (type === 'q8_0') return (count / Q8_BLOCK) * Q8_BYTES;
  return count * (type === 'f32' ? 4 : 2);
}

/** Throws INTERNAL for a name that occurs twice, or q8_0 rows that are not multiples of 32. */
export function writeGguf(metadata: GgufMetadata, tensors: readonly GgufTensor[]): GgufFile {
  const head = new ByteWriter();
  head.u32(MAGIC);
  head.u32(VERSION);
  head.u64(tensors.length);
  head.u64(metadata.size);
  for (const [key, value] of metadata) {
    head.string(key);
    writeValue(head, value);
  }
  const names = new Set<string>();
  let offset = 0;
  for (const { name, shape, type } of tensors) {
    if (names.has(name)) throw new AppError('INTERNAL', `The tensor ${name} would be written twice.`, '');
    names.add(name);
    if (type === 'q8_0' && (shape.at(-1) ?? 0) % Q8_BLOCK !== 0)
      throw new AppError('INTERNAL', `Rows of ${name} are not a multiple of ${Q8_BLOCK} and cannot be q8_0.`, '');
    head.string(name);
    head.u32(shape.length);
    for (const size of [...shape].reverse()) head.u64(size);
    head.u32(TENSOR_TYPES[type]);
    head.u64(offset);
    offset += aligned(ggufBytes(shape, type));
  }
  const header = head.bytes(ALIGNMENT);

  async function* chunks(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    yield header;
    for (const { name, shape, type, pieces } of tensors) {
      let written = 0;
      for await (const values of pieces()) {
        const bytes = encode(values, type);
        written += bytes.byteLength;
        yield bytes;
      }
      const size = ggufBytes(shape, type);
      if (written !== size) throw new AppError('INTERNAL', `The tensor ${name} gave ${written} bytes instead of ${size}.`, '');
      if (aligned(size) > size) yield new Uint8Array(aligned(size) - size);
    }
  }
  return { size: header.byteLength + offset, chunks };
}

function encode(values: Float32Array, type: GgufType): Uint8Array<ArrayBuffer> {
  if (type === 'q8_0') return quantizeQ8(values);
  const typed = type === 'f32' ? Float32Array.from(values) : narrow(values, 'f16');
  return new Uint8Array(typed.buffer, typed.byteOffset, typed.byteLength);
}

/**
 * Per block of 32: scale d = max|x| / 127 as f16, then round(x / d) as int8, halves away from zero as C's roundf has it.
 * Throws NONFINITE_WEIGHTS.
 */
export function quantizeQ8(values: Float32Array): Uint8Array<ArrayBuffer> {
  const blocks = values.length / Q8_BLOCK;
  const bytes = new Uint8Array(blocks * Q8_BYTES);
  const scales = new Float32Array(blocks);
  for (let block = 0; block < blocks; block++) {
    let most = 0;
    for (let i = 0; i < Q8_BLOCK; i++) most = Math.max(most, Math.abs(values[block * Q8_BLOCK + i]));
    scales[block] = most / 127;
  }
  const codes = narrow(scales, 'f16');
  if (codes.includes(F16_INFINITY))
    throw new AppError('NONFINITE_WEIGHTS', 'A tuned tensor has a weight that is too large for q8_0.', 'Export as f32.');
  for (let block = 0; block < blocks; block++) {
    const at = block * Q8_BYTES;
    bytes[at] = codes[block] & 0xff;
    bytes[at + 1] = codes[block] >>> 8;
    const inverse = scales[block] > 0 ? 1 / scales[block] : 0;
    for (let i = 0; i < Q8_BLOCK; i++) {
      const scaled = values[block * Q8_BLOCK + i] * inverse;
      bytes[at + 2 + i] = Math.sign(scaled) * Math.floor(Math.abs(scaled) + 0.5);
    }
  }
  return bytes;
}

function writeValue(head: ByteWriter, value: GgufValue): void {
  switch (value.type) {
    case 'u32':
    case 'i32':
    case 'f32':
      head.u32(VALUE_TYPES[value.type]);
      return head.number(value.type, value.value);
    case 'bool':
      head.u32(VALUE_TYPES.bool);
      return head.u8(value.value ? 1 : 0);
    case 'string':
      head.u32(VALUE_TYPES.string);
      return head.string(value.value);
    case 'strings':
      head.array(VALUE_TYPES.string, value.value.length);
      for (const text of value.value) head.string(text);
      return;
    case 'i32s':
    case 'f32s': {
      const type = value.type === 'i32s' ? 'i32' : 'f32';
      head.array(VALUE_TYPES[type], value.value.length);
      for (let i = 0; i < value.value.length; i++) head.number(type, value.value[i]);
    }
  }
}

/** Little-endian bytes that grow by doubling. */
class ByteWriter {
  #data = new Uint8Array(1 << 16);
  #view = new DataView(this.#data.buffer);
  #at = 0;

  /** The written bytes, padded with zeros to a multiple. */
  bytes(multiple: number): Uint8Array<ArrayBuffer> {
    const size = Math.ceil(this.#at / multiple) * multiple;
    this.#room(size - this.#at);
    return this.#data.slice(0, size);
  }

  u8(value: number): void {
    this.#room(1);
    this.#data[this.#at++] = value;
  }

  u32(value: number): void {
    this.number('u32', value);
  }

  u64(value: number): void {
    this.#room(8);
    this.#view.setBigUint64(this.#at, BigInt(value), true);
    this.#at += 8;
  }

  number(type: 'u32' | 'i32' | 'f32', value: number): void {
    this.#room(4);
    if (type === 'u32') this.#view.setUint32(this.#at, value, true);
    else if (type === 'i32') this.#view.setInt32(this.#at, value, true);
    else this.#view.setFloat32(this.#at, value, true);
    this.#at += 4;
  }

  string(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.u64(bytes.byteLength);
    this.#room(bytes.byteLength);
    this.#data.set(bytes, this.#at);
    this.#at += bytes.byteLength;
  }

  array(elementType: number, length: number): void {
    this.u32(VALUE_TYPES.array);
    this.u32(elementType);
    this.u64(length);
  }

  #room(bytes: number): void {
    const needed = this.#at + bytes;
    if (needed <= this.#data.byteLength) return;
    const grown = new Uint8Array(Math.max(needed, this.#data.byteLength * 2));
    grown.set(this.#data);
    this.#data = grown;
    this.#view = new DataView(grown.buffer);
  }
}
