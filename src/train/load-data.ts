// Reads the data files of a run or of a preview: they are streamed, parsed and tokenised in short pieces of work.

import type { LoadedFiles } from '../data/sample/inspect';
import { loadingStream, type LoadConfig, type LoadedData } from '../data/sample/loading';
import { bytesStream, type DataStream } from '../data/read/text-stream';
import type { Tokenizer } from '../data/tokenize/tokenizer';
import type { Pace } from './pace';

export interface DataBytes {
  /** File name; its extension determines the format. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Data in memory, or a file that is read as needed. */
export type DataInput = DataBytes | DataStream;

const streamOf = (data: DataInput): DataStream => ('bytes' in data ? bytesStream(data.name, data.bytes) : data);

/** Throws DATASET_READ if reading would: a browser refuses a file that has changed since it was chosen. */
export async function checkReadable({ data, evalData }: { readonly data: DataInput; readonly evalData: DataInput | null }): Promise<void> {
  for (const stream of [data, ...(evalData ? [evalData] : [])].map(streamOf)) {
    const chunks = stream.chunks()[Symbol.asyncIterator]();
    await chunks.next();
    await chunks.return?.();
  }
}

/**
 * `told` receives the progress (0 to 1), the main file's data so far, and those of the file that is being read (0: the main one). Null if the
 * result is no longer wanted.
 */
export async function loadFiles(
  { data, evalData }: { readonly data: DataInput; readonly evalData: DataInput | null },
  tokenizer: Tokenizer,
  config: LoadConfig,
  pace: Pace,
  told: (fraction: number, sofar: () => LoadedData, file: number, now: () => LoadedData) => void = () => undefined,
): Promise<LoadedFiles | null> {
  const streams = [data, ...(evalData ? [evalData] : [])].map(streamOf);
  const total = Math.max(
    1,
    streams.reduce((sum, { size }) => sum + size, 0),
  );
  const loaded: LoadedData[] = [];
  let before = 0;
  for (const stream of streams) {
    const work = loadingStream(stream, tokenizer, config);
    for (;;) {
      const { done, value } = await work.next();
      if (done) {
        loaded.push(value);
        break;
      }
      if (!(await pace.next())) return null;
      told((before + value.fraction * stream.size) / total, loaded.length > 0 ? () => loaded[0] : value.sofar, loaded.length, value.sofar);
    }
    before += stream.size;
  }
  return { data: loaded[0], evaluation: loaded[1] ?? null };
}
