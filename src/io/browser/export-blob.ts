// A file of an export as a Blob, which a browser may keep on disk. The next piece is requested once the browser has taken the
// previous one, so this worker's memory holds only one piece, whatever the model's size.

import { crc32 } from '../../base/crc32';
import { AppError } from '../../base/errors';
import type { ExportFile } from '../formats/export-file';

export interface BlobFile {
  readonly data: Blob;
  /** The CRC-32 of all bytes. */
  readonly crc32: number;
}

/** Throws what the file's pieces throw, and STORAGE if the browser cannot keep them. */
export async function blobOf(file: ExportFile): Promise<BlobFile> {
  const parts: Blob[] = [];
  let crc = 0;
  for await (const chunk of file.chunks()) {
    crc = crc32(chunk, crc);
    const part = new Blob([chunk]);
    // Reading waits until the bytes have left this process, and fails if there is no space for them.
    await part
      .slice(0, 1)
      .arrayBuffer()
      .catch((cause: unknown) => {
        throw noRoom(file, cause);
      });
    parts.push(part);
  }
  return { data: new Blob(parts), crc32: crc };
}

const noRoom = ({ path, size }: ExportFile, cause: unknown): AppError =>
  new AppError(
    'STORAGE',
    `The browser could not store ${path} (${(size / 1e6).toFixed(1)} MB).`,
    'Free disk space or memory, then download it again.',
    { cause },
  );
