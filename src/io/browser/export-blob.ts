// A file of an export as a Blob, which a browser may keep on disk: piece by piece, and the next is asked for once the browser
// has taken the one before, so that this worker's memory holds one of them, whatever the model's size.

import { crc32 } from '../../base/crc32';
import { AppError } from '../../base/errors';
import type { ExportFile } from '../formats/export-file';

export interface BlobFile {
  readonly data: Blob;
  /** Of all bytes. */
  readonly crc32: number;
}

/** Throws what the file's pieces throw, and STORAGE where the browser cannot keep them. */
export async function blobOf(file: ExportFile): Promise<BlobFile> {
  const parts: Blob[] = [];
  let crc = 0;
  for await (const chunk of file.chunks()) {
    crc = crc32(chunk, crc);
    const part = new Blob([chunk]);
    // Reading waits until the bytes have left this process, and fails where there is no room for them.
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
    `The browser could not keep ${path} of ${(size / 1e6).toFixed(1)} MB.`,
    'Free disk space or memory, then download it again.',
    { cause },
  );
