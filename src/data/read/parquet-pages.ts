// Looks through the pages of a row group before hyparquet decodes them: it trusts their counts, and a damaged one would make it allocate or
// loop without end. Only counts are read here; pages are unpacked for that a second time.

import type { Compressors, FileMetaData, RowGroup } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import { decompressPage } from 'hyparquet/src/datapage.js';
import { getMaxDefinitionLevel, getMaxRepetitionLevel, getSchemaPath } from 'hyparquet/src/schema.js';
import { deserializeTCompactProtocol, readVarInt } from 'hyparquet/src/thrift.js';
import { decompressBrotli } from 'hyparquet-compressors/src/brotli.js';
import { gunzip } from 'hyparquet-compressors/src/gzip.js';
import { decompressLz4, decompressLz4Raw } from 'hyparquet-compressors/src/lz4.js';
import { decompress as decompressZstd } from 'fzstd';
import type { ReadRange } from './types';

/** Writers make pages of about 1 MB; one of 256 MiB holds the longest texts that anybody trains on. */
const LARGEST_PAGE = 2 ** 28;

/** All but Snappy, for which hyparquet has a reader of its own. The package's own list starts WebAssembly, which the page's policy does not allow. */
export const COMPRESSORS: Compressors = {
  GZIP: (input, length) => gunzip(input, new Uint8Array(length)),
  BROTLI: decompressBrotli,
  ZSTD: (input) => decompressZstd(input),
  LZ4: decompressLz4,
  LZ4_RAW: decompressLz4Raw,
};

interface Reader {
  readonly view: DataView;
  offset: number;
}

const readerOf = (bytes: Uint8Array): Reader => ({ view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 });

const fail = (reason: string): never => {
  throw new Error(reason);
};

/** Bits that hold levels from 0 to `most`. */
const levelBits = (most: number): number => 32 - Math.clz32(most);

/** Throws an Error where the schema's counts of children do not make one tree: hyparquet would walk it without end. */
export async function checkSchema(size: number, read: ReadRange): Promise<void> {
  if (size < 12) fail('it is too short');
  const length = readerOf(await read(size - 8, size)).view.getUint32(0, true);
  if (length > size - 8) fail('it points outside of itself');
  const footer: Record<string, unknown> = deserializeTCompactProtocol(readerOf(await read(size - 8 - length, size - 8)));
  const elements = Array.isArray(footer.field_2) ? (footer.field_2 as Record<string, unknown>[]) : fail('it has no schema');
  const children = elements.map((element) => Number(element.field_5 ?? 0));
  if (
    children.some((count) => !Number.isInteger(count) || count < 0) ||
    children.reduce((sum, count) => sum + count, 1) !== elements.length
  )
    fail('its schema is not a tree');
}

/** Throws an Error that says what is wrong. `read`: bytes of the file. */
export async function checkPages({ schema }: FileMetaData, group: RowGroup, read: ReadRange): Promise<void> {
  for (const { meta_data: meta, file_path: path } of group.columns) {
    if (!meta || path !== undefined) throw new Error('a column lies in another file');
    const start = Number(meta.dictionary_page_offset ?? meta.data_page_offset);
    const size = Number(meta.total_compressed_size);
    const bytes = await read(Math.min(start, Number(meta.data_page_offset)), start + size);
    const schemaPath = getSchemaPath(schema, meta.path_in_schema);
    const levels = { repetition: getMaxRepetitionLevel(schemaPath), definition: getMaxDefinitionLevel(schemaPath) };
    const flat = levels.repetition === 0;
    let left = Number(meta.num_values);
    if (flat && left !== Number(group.num_rows)) fail(`a column has ${left} values for ${group.num_rows} rows`);
    const reader = readerOf(bytes);
    while (left > 0) {
      if (reader.offset >= bytes.byteLength - 1) fail('a column ends before its last value');
      const header = parquetHeader(reader);
      const { compressed_page_size: packed, uncompressed_page_size: whole } = header;
      if (!(packed >= 0 && reader.offset + packed <= bytes.byteLength)) fail('a page is longer than its column');
      if (!(whole >= 0 && whole <= LARGEST_PAGE)) fail('a page has an impossible size');
      const page = bytes.subarray(reader.offset, reader.offset + packed);
      reader.offset += packed;
      const unpack = (part: Uint8Array, length: number): Uint8Array => decompressPage(part, length, meta.codec, COMPRESSORS);
      if (header.dictionary_page_header) {
        // A value of a dictionary takes at least a bit.
        if (!(header.dictionary_page_header.num_values <= 8 * whole)) fail('a dictionary has more entries than bytes');
      } else if (header.data_page_header) {
        left -= checkCount(header.data_page_header.num_values, left);
        checkDataPage(unpack(page, whole), header.data_page_header, levels, meta.type);
      } else if (header.data_page_header_v2) {
        left -= checkCount(header.data_page_header_v2.num_values, left);
        const { definition_levels_byte_length: d, repetition_levels_byte_length: r, num_nulls, num_values } = header.data_page_header_v2;
        if (!(d >= 0 && r >= 0 && d + r <= packed && d + r <= whole)) fail('the levels of a page are longer than the page');
        if (!(num_nulls >= 0 && num_nulls <= num_values)) fail('a page has more nulls than values');
        if (levels.repetition > 0) checkRuns(readerOf(page.subarray(0, r)), levelBits(levels.repetition), num_values);
        if (levels.definition > 0) checkRuns(readerOf(page.subarray(r, r + d)), levelBits(levels.definition), num_values);
        const rest = page.subarray(r + d);
        const isPacked = header.data_page_header_v2.is_compressed !== false && whole > d + r;
        const values = isPacked ? unpack(rest, whole - d - r) : rest;
        checkValues(readerOf(values), header.data_page_header_v2.encoding, num_values - num_nulls, meta.type);
      } else fail('a page is of no known kind');
    }
  }
}

function checkCount(count: number, left: number): number {
  if (!(Number.isInteger(count) && count >= 0 && count <= left)) fail('a page has more values than its column');
  // A page of none makes progress: its bytes are behind it.
  return count;
}

function checkDataPage(
  page: Uint8Array,
  { num_values: count, encoding }: { readonly num_values: number; readonly encoding: string },
  levels: { readonly repetition: number; readonly definition: number },
  type: string,
): void {
  const reader = readerOf(page);
  let present = count;
  for (const most of [levels.repetition, levels.definition]) {
    if (most === 0) continue;
    const length = reader.view.getUint32(reader.offset, true);
    const from = reader.offset + 4;
    if (from + length > page.byteLength) fail('the levels of a page are longer than the page');
    const values = checkRuns(readerOf(page.subarray(from, from + length)), levelBits(most), count, most);
    if (most === levels.definition) present = values;
    reader.offset = from + length;
  }
  checkValues(reader, encoding, present, type);
}

function checkValues(reader: Reader, encoding: string, count: number, type: string): void {
  const bytes = reader.view.byteLength - reader.offset;
  if (encoding === 'PLAIN_DICTIONARY' || encoding === 'RLE_DICTIONARY') {
    if (count === 0) return;
    const width = reader.view.getUint8(reader.offset++);
    if (width > 32) fail('a page has indices of more than 32 bits');
    if (width > 0) checkRuns(reader, width, count);
  } else if (encoding === 'RLE') {
    if (type !== 'BOOLEAN') fail('values that are not true or false are stored in runs');
    reader.offset += 4;
    checkRuns(reader, 1, count);
  } else if (encoding.startsWith('DELTA')) {
    checkDelta(reader, count);
  } else if (count > 8 * bytes) fail('a page has more values than bits');
}

/** Runs of equal values and of packed ones. Returns how many of `count` values are `counted`, as far as runs of equal ones tell. */
function checkRuns(reader: Reader, width: number, count: number, counted = -1): number {
  let [seen, found] = [0, 0];
  while (seen < count) {
    const header = readVarInt(reader) >>> 0;
    const left = count - seen;
    if (header & 1) {
      const groups = header >>> 1;
      // Some writers fill the last run up, and some leave out its last bytes.
      const bytes = Math.max(0, reader.view.byteLength - reader.offset);
      if (groups === 0 || (groups > Math.ceil(left / 8) && groups * width > bytes + width)) fail('a run has more values than its page');
      const bits = new Bits(reader, width);
      for (let i = 0; counted >= 0 && i < Math.min(left, 8 * groups); i++) if (bits.next() === counted) found++;
      reader.offset = Math.min(reader.view.byteLength, reader.offset + groups * width);
      seen += Math.min(left, 8 * groups);
    } else {
      const length = header >>> 1;
      if (length > left) fail('a run has more values than its page');
      let value = 0;
      for (let at = 0; at < width; at += 8) value |= reader.view.getUint8(reader.offset++) << at;
      if (value === counted) found += length;
      seen += length;
    }
  }
  return found;
}

/** Packed values from the reader's place on, lowest bit first. */
class Bits {
  #at = 0;

  constructor(
    readonly reader: Reader,
    readonly width: number,
  ) {}

  next(): number {
    let value = 0;
    for (let bit = 0; bit < this.width; bit++, this.#at++) {
      const byte = this.reader.offset + (this.#at >> 3);
      if (byte < this.reader.view.byteLength && (this.reader.view.getUint8(byte) >> (this.#at & 7)) & 1) value |= 1 << bit;
    }
    return value;
  }
}

/** The header of delta-packed whole numbers, which lengths of texts are, too. */
function checkDelta(reader: Reader, count: number): void {
  if (count === 0) return;
  const [block, miniblocks, total] = [readVarInt(reader), readVarInt(reader), readVarInt(reader)];
  if (!(block > 0 && block <= 2 ** 20 && block % 128 === 0)) fail('a block of numbers has an impossible size');
  if (!(miniblocks > 0 && miniblocks <= block / 8 && (block / miniblocks) % 8 === 0))
    fail('a block of numbers has an impossible number of parts');
  if (total !== count) fail(`a page holds ${total} numbers and says that it has ${count}`);
}
