// A Parquet file as JSON lines, one row group at a time: from there on it is read like any other file. The reader (hyparquet) and its
// decompressors are loaded when the first Parquet file comes. The file is not trusted: sizes are checked before anything is made.

import { AppError } from '../../base/errors';
import type { ReadRange } from './types';

/** Row groups are read whole. Writers make them of some MB; 1 GiB unpacked would not fit beside a model. */
const LARGEST_GROUP = 2 ** 30;
/** A file of some bytes may claim any number of equal rows. Writers make groups of up to a million. */
const MOST_VALUES = 2 ** 25;
const MAX_ROWS = 2 ** 31;

export const PARQUET_MAGIC: readonly number[] = [0x50, 0x41, 0x52, 0x31];

/** Lines with a line end, some thousand rows at a time. Errors: DATASET_PARSE for a damaged file. */
export async function* parquetLines(name: string, size: number, read: ReadRange): AsyncGenerator<string> {
  const [{ parquetMetadataAsync, parquetReadObjects }, { checkPages, checkSchema, COMPRESSORS: compressors }] = await Promise.all([
    import('hyparquet'),
    import('./parquet-pages'),
  ]);
  const file = {
    byteLength: size,
    slice: async (start: number, end = size): Promise<ArrayBuffer> => {
      if (!(start >= 0 && end <= size && start <= end)) throw new Error('it points outside of itself');
      const bytes = await read(start, end);
      if (bytes.byteLength !== end - start) throw new Error('it ends too soon');
      return new Uint8Array(bytes).buffer;
    },
  };
  const orDamaged = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (cause) {
      if (cause instanceof AppError) throw cause;
      throw damaged(name, cause instanceof Error ? cause.message : String(cause), cause);
    }
  };
  await orDamaged(checkSchema(size, read));
  const metadata = await orDamaged(parquetMetadataAsync(file));
  let from = 0;
  for (const group of metadata.row_groups) {
    const rows = Number(group.num_rows);
    if (!Number.isSafeInteger(rows) || rows < 0 || from + rows > MAX_ROWS)
      throw damaged(name, 'a row group has an impossible number of rows');
    if (Number(group.total_byte_size) > LARGEST_GROUP)
      throw new AppError(
        'DATASET_PARSE',
        `${name} has a row group of ${(Number(group.total_byte_size) / 2 ** 30).toFixed(1)} GiB; at most 1 GiB is read.`,
        'Write the file again with smaller row groups.',
      );
    if (group.columns.some(({ meta_data: column }) => Math.max(rows, Number(column?.num_values ?? 0)) * group.columns.length > MOST_VALUES))
      throw new AppError(
        'DATASET_PARSE',
        `${name} has a row group of ${rows} rows in ${group.columns.length} columns; at most ${MOST_VALUES} values are read at a time.`,
        'Write the file again with smaller row groups.',
      );
    await orDamaged(checkPages(metadata, group, async (start, end) => new Uint8Array(await file.slice(start, end))));
    const objects = await orDamaged(parquetReadObjects({ file, metadata, rowStart: from, rowEnd: from + rows, compressors, parsers }));
    if (objects.length !== rows) throw damaged(name, `a row group has ${objects.length} rows and says that it has ${rows}`);
    for (let at = 0; at < objects.length; at += ROWS_A_PIECE)
      yield objects
        .slice(at, at + ROWS_A_PIECE)
        .map((row) => `${JSON.stringify(row, plain)}\n`)
        .join('');
    from += rows;
  }
}

const ROWS_A_PIECE = 256;

/** A date without a time, where the column's type is DATE. Null for a day that no calendar has. */
const parsers = {
  dateFromDays(days: number): string | null {
    const date = new Date(days * 86_400_000);
    return Number.isNaN(date.getTime()) ? null : date.toISOString().replace(/T.*/, '');
  },
};

/** Values that JSON does not have: large whole numbers, and bytes that are not text. */
function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  return value instanceof Uint8Array ? `(${value.byteLength} bytes)` : value;
}

const damaged = (name: string, reason: string, cause?: unknown): AppError =>
  new AppError(
    'DATASET_PARSE',
    `${name} is damaged, or is not the kind of Parquet that is read: ${reason}.`,
    'Get the file again, or write it anew with another program.',
    {
      cause,
    },
  );
