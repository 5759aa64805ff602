// A folder in the browser's private file system (OPFS), and the meaning of its errors.

import { AppError } from '../../base/errors';
import { measuredQuota } from '../../base/quota';

/** The part of navigator.storage that is used; a test can replace it. */
export type BrowserStorage = Pick<StorageManager, 'getDirectory' | 'estimate'>;

type Bytes = Uint8Array<ArrayBuffer>;

/** The folder, one level below the root or deeper. Throws NotFoundError if it does not exist and must not be created. */
export async function openFolder(storage: BrowserStorage, path: readonly string[], create: boolean): Promise<FileSystemDirectoryHandle> {
  let folder = await storage.getDirectory();
  for (const name of path) folder = await folder.getDirectoryHandle(name, { create });
  return folder;
}

/** Removes a file, or a folder with its contents; does nothing if it does not exist. */
export async function removeFrom(folder: FileSystemDirectoryHandle, name: string): Promise<void> {
  try {
    await folder.removeEntry(name, { recursive: true });
  } catch (thrown) {
    if (!(thrown instanceof DOMException && thrown.name === 'NotFoundError')) throw thrown;
  }
}

/** Writes a file as its bytes arrive, and flushes it. Nothing else may have it open, and its contents are undefined until this resolves. */
export async function writeChunks(
  folder: FileSystemDirectoryHandle,
  name: string,
  chunks: AsyncIterable<Bytes>,
  size: number,
): Promise<void> {
  const handle = await (await folder.getFileHandle(name, { create: true })).createSyncAccessHandle();
  try {
    handle.truncate(0);
    let at = 0;
    for await (const chunk of chunks) {
      const written = handle.write(chunk, { at });
      if (written < chunk.byteLength) throw new DOMException('Fewer bytes were taken than given.', 'QuotaExceededError');
      at += written;
    }
    if (at !== size) throw new Error(`${at} bytes came instead of ${size}`);
    handle.flush();
  } finally {
    handle.close();
  }
}

/** Replaces a small file in one piece: a crash leaves the old one or the new one. */
export async function writeWhole(folder: FileSystemDirectoryHandle, name: string, text: string): Promise<void> {
  const writable = await (await folder.getFileHandle(name, { create: true })).createWritable();
  await writable.write(text);
  await writable.close();
}

/** A refusal as STORAGE, with the needed and the free space if space is missing. `what`: 'a checkpoint'. */
export async function storageError(storage: BrowserStorage, cause: unknown, what: string, bytes: number): Promise<AppError> {
  if (cause instanceof AppError) return cause;
  if (!(cause instanceof DOMException && cause.name === 'QuotaExceededError')) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new AppError(
      'STORAGE',
      `The browser could not store ${what}: ${reason.replace(/\.?$/, '.')}`,
      'Try again, or continue without checkpoints.',
      {
        cause,
      },
    );
  }
  const estimate = await storage.estimate().catch((): StorageEstimate => ({}));
  const { usage = 0 } = estimate;
  const quota = measuredQuota(estimate);
  const free = quota === null ? '' : `; about ${megabytes(Math.max(0, quota - usage))} are free`;
  return new AppError(
    'STORAGE',
    `The browser has no space for ${what} (${megabytes(bytes)})${free}.`,
    'Free disk space or delete data that this site stores, then continue. Or continue without checkpoints.',
    { cause },
  );
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
