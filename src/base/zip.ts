// A zip archive of stored (uncompressed) files, in the classic format: PKWARE APPNOTE 4.3.7, 4.3.12, 4.3.16.
// Weights don't compress, and one file is easier to keep than five. Parts are returned, not one large copy.

export interface ZipEntry {
  readonly name: string;
  readonly data: Blob | Uint8Array<ArrayBuffer>;
  /** CRC-32 of the data. The caller passes it, because the bytes of a Blob are not at hand here. */
  readonly crc32: number;
}

const sizeOf = (data: Blob | Uint8Array): number => (data instanceof Uint8Array ? data.length : data.size);

/** The largest size or offset that an archive can hold: these fields have 32 bits. */
export const ZIP_LIMIT = 0xffffffff;

const UTF8_NAMES = 0x0800;
/** 1 January 1980, the first day that the format can express: an export has no date of its own. */
const DOS_DATE = (1 << 5) | 1;

/** Parts for a Blob. Throws RangeError above 4 GiB. */
export function zipParts(entries: readonly ZipEntry[]): (Blob | Uint8Array<ArrayBuffer>)[] {
  const parts: (Blob | Uint8Array<ArrayBuffer>)[] = [];
  const directory: Uint8Array<ArrayBuffer>[] = [];
  let offset = 0;
  for (const { name, data, crc32 } of entries) {
    const encoded = new TextEncoder().encode(name);
    const size = sizeOf(data);
    // The fields that the local header and the directory entry have in common.
    const common = fields(
      [2, 20],
      [2, UTF8_NAMES],
      [2, 0],
      [2, 0],
      [2, DOS_DATE],
      [4, crc32],
      [4, size],
      [4, size],
      [2, encoded.length],
      [2, 0],
    );
    const local = join(fields([4, 0x04034b50]), common, encoded);
    directory.push(join(fields([4, 0x02014b50], [2, 20]), common, fields([2, 0], [2, 0], [2, 0], [4, 0], [4, offset]), encoded));
    parts.push(local, data);
    offset += local.length + size;
  }
  const central = join(...directory);
  if (offset + central.length > ZIP_LIMIT) throw new RangeError('A zip archive of this kind holds at most 4 GiB.');
  const count = entries.length;
  return [...parts, central, fields([4, 0x06054b50], [2, 0], [2, 0], [2, count], [2, count], [4, central.length], [4, offset], [2, 0])];
}

/** Little-endian integers of 2 or 4 bytes. */
function fields(...list: readonly (readonly [2 | 4, number])[]): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(list.reduce((sum, [size]) => sum + size, 0)));
  let at = 0;
  for (const [size, value] of list) {
    if (size === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += size;
  }
  return new Uint8Array(view.buffer);
}

function join(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
