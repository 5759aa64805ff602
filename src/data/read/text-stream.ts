// The bytes of a file as text, piece by piece. A whole large file would not fit into a string (JavaScript strings end near 512
// MB), and nothing else could run while it is made.

import { AppError } from '../../base/errors';

/** A data file that is read as a stream. */
export interface DataStream {
  /** File name; its ending chooses the parser, and errors name it. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Starts from the beginning at every call. */
  chunks(): AsyncIterable<Uint8Array>;
}

export function bytesStream(name: string, bytes: Uint8Array): DataStream {
  // eslint-disable-next-line @typescript-eslint/require-await
  async function* chunks(): AsyncGenerator<Uint8Array> {
    yield bytes;
  }
  return { name, size: bytes.byteLength, chunks };
}

/** Approximate number of characters in a piece. */
const PIECE = 2 ** 16;

/** Pieces of the text, without a byte order mark, and the bytes read so far. DATASET_PARSE names the first line that is not UTF-8. */
export async function* textPieces({ name, chunks }: DataStream): AsyncGenerator<{ readonly text: string; readonly bytes: number }> {
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
  for await (const chunk of chunks()) {
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
