// The bytes of a file as text, piece by piece. A whole large file would not fit into a string (JavaScript strings end near 512
// MB), and nothing else could run while it is made.

import { AppError } from '../../base/errors';
import { PARQUET_MAGIC, parquetLines } from './parquet';
import type { ReadRange } from './types';

/** A data file that is read as a stream. */
export interface DataStream {
  /** File name; its ending chooses the parser, and errors name it. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Starts from the beginning at every call. */
  chunks(): AsyncIterable<Uint8Array>;
  /** Bytes [start, end), for files that are not read from the front (Parquet). */
  readonly read?: ReadRange;
}

export function bytesStream(name: string, bytes: Uint8Array): DataStream {
  // oxlint-disable-next-line typescript/require-await
  async function* chunks(): AsyncGenerator<Uint8Array> {
    yield bytes;
  }
  return { name, size: bytes.byteLength, chunks, read: (start, end) => Promise.resolve(bytes.subarray(start, end)) };
}

/** Approximate number of characters in a piece. */
const PIECE = 2 ** 16;

const MAGIC: readonly (readonly [readonly number[], string, string])[] = [
  [[0x50, 0x4b, 3, 4], 'a zip archive (Excel files are, too)', 'Unpack it, or save the table as .csv.'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'compressed with zstd', 'Unpack it, or compress it with gzip.'],
  [[0x42, 0x5a, 0x68], 'compressed with bzip2', 'Unpack it, or compress it with gzip.'],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a], 'compressed with xz', 'Unpack it, or compress it with gzip.'],
  [[0x41, 0x52, 0x52, 0x4f, 0x57, 0x31], 'an Arrow file', 'Save it as JSON lines.'],
  [[0x53, 0x51, 0x4c, 0x69, 0x74, 0x65], 'an SQLite database', 'Save the table as .csv.'],
  [[0x25, 0x50, 0x44, 0x46], 'a PDF', 'Save its text as .txt.'],
  [[0x80, 4, 0x95], 'a Python pickle', 'Save it as JSON lines.'],
];

/** The bytes of a stream; those of a gzip file unpacked. A file of another known kind is told what it is. */
async function* unpacked({ name, size, chunks, read }: DataStream): AsyncGenerator<Uint8Array> {
  const source = chunks()[Symbol.asyncIterator]();
  const first = await source.next();
  if (first.done) return;
  const head = first.value;
  const is = (bytes: readonly number[]): boolean => bytes.every((byte, i) => head[i] === byte);
  const other = MAGIC.find(([bytes]) => is(bytes));
  if (other) {
    await source.return?.();
    throw new AppError('DATASET_PARSE', `${name} is ${other[1]}.`, other[2]);
  }
  if (is(PARQUET_MAGIC) && read) {
    await source.return?.();
    const utf8 = new TextEncoder();
    for await (const lines of parquetLines(name, size, read)) yield utf8.encode(lines);
    return;
  }
  const rest = async function* (): AsyncGenerator<Uint8Array> {
    yield head;
    for (;;) {
      const next = await source.next();
      if (next.done) return;
      yield next.value;
    }
  };
  if (!is([0x1f, 0x8b])) {
    yield* rest();
    return;
  }
  const packed = rest();
  const stream = new ReadableStream<BufferSource>({
    async pull(controller) {
      const next = await packed.next();
      if (next.done) controller.close();
      else controller.enqueue(next.value as Uint8Array<ArrayBuffer>);
    },
    cancel: async () => void (await source.return?.()),
  });
  const reader = stream.pipeThrough(new DecompressionStream('gzip')).getReader();
  try {
    for (;;) {
      const piece = (await reader.read()) as ReadableStreamReadResult<Uint8Array>;
      if (piece.done) return;
      yield piece.value;
    }
  } catch (cause) {
    throw cause instanceof AppError
      ? cause
      : new AppError('DATASET_PARSE', `${name} is damaged: its gzip data cannot be unpacked.`, 'Get the file again.', { cause });
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** Pieces of the text, without a byte order mark, and the bytes read so far. DATASET_PARSE names the first line that is not UTF-8. */
export async function* textPieces(stream: DataStream): AsyncGenerator<{ readonly text: string; readonly bytes: number }> {
  const { name } = stream;
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let bytes = 0;
  let lines = 0;
  let tail: Uint8Array = new Uint8Array(0);
  const decode = (part: Uint8Array | null): string => {
    try {
      return part ? decoder.decode(part, { stream: true }) : decoder.decode();
    } catch (cause) {
      const rest = new Uint8Array([...tail, ...(part ?? [])]);
      const utf16 = bytes === 0 && ((rest[0] === 0xff && rest[1] === 0xfe) || (rest[0] === 0xfe && rest[1] === 0xff));
      const row = lines + (badLine(rest) ?? 1);
      const reason = utf16 ? 'the file is UTF-16' : 'the text is not valid UTF-8';
      throw new AppError('DATASET_PARSE', `${name}, row ${row}: ${reason}.`, 'Save the file as UTF-8.', { cause });
    }
  };
  for await (const chunk of unpacked(stream)) {
    for (let at = 0; at < chunk.length; at += PIECE) {
      const part = chunk.subarray(at, at + PIECE);
      const text = decode(part);
      bytes += part.length;
      for (let i = part.indexOf(10); i >= 0; i = part.indexOf(10, i + 1)) lines++;
      tail = unfinished(part);
      yield { text, bytes };
    }
  }
  const text = decode(null);
  if (text !== '') yield { text, bytes };
}

/** The first bytes of a character that continues in the next piece. */
function unfinished(part: Uint8Array): Uint8Array {
  for (let back = 1; back <= 3 && back <= part.length; back++) {
    const byte = part[part.length - back];
    if (byte >= 0xc0) return byte >= [0, 0xc0, 0xe0, 0xf0][back] ? part.slice(part.length - back) : new Uint8Array(0);
    if (byte < 0x80) break;
  }
  return new Uint8Array(0);
}

/** 1-based line of the first byte sequence that is not UTF-8. A line feed byte is never part of a longer character. */
function badLine(bytes: Uint8Array): number | null {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let line = 0;
  for (let at = 0; at < bytes.length;) {
    const found = bytes.indexOf(10, at);
    const end = found < 0 ? bytes.length : found;
    line++;
    try {
      decoder.decode(bytes.subarray(at, end));
    } catch {
      return line;
    }
    at = end + 1;
  }
  return null;
}
