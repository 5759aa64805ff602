// A scratch file in a folder on disk. It is made when something is first written, and loses its name as soon as it is open, where the system
// allows that: then nothing is left of it when the process ends, however it ends. A kill between the two leaves a name that the next run in
// the folder removes.

import { open, rm, stat, statfs, type FileHandle } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { AppError } from '../../base/errors';
import type { OpenScratch } from '../formats/scratch';
import { temporarySibling } from './output';

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

const refused = (folder: string, cause: unknown): AppError =>
  new AppError(
    'STORAGE',
    `The full-precision weights of trained layers could not be kept in ${folder}: ${(cause as Error).message}.`,
    'Free some space or choose another --out; or keep the base in 32 or 16 bits (--weights f32 or stored), which needs no such file.',
    { cause },
  );

/** The folder, or the nearest one above it that exists: the run may not have made its own yet. */
async function existing(folder: string): Promise<string> {
  const path = resolve(folder);
  const found = await stat(path).catch(() => null);
  return found?.isDirectory() || dirname(path) === path ? path : existing(dirname(path));
}

/** A scratch file in this folder or near it, on the same disk. */
export const nodeScratch =
  (near: string): OpenScratch =>
  async (bytes) => {
    const folder = await existing(near);
    const { bavail, bsize } = await statfs(folder);
    const free = bavail * bsize;
    if (free < bytes) {
      throw new AppError(
        'STORAGE',
        `Trained layers keep their full precision in a file of up to ${megabytes(bytes)} in ${folder}, where ${megabytes(free)} are free.`,
        'Free some space or choose another --out; or keep the base in 32 or 16 bits (--weights f32 or stored), which needs no such file.',
      );
    }
    let made: Promise<{ readonly file: FileHandle; readonly path: string }> | null = null;
    return {
      async read(at, length) {
        const buffer = new Uint8Array(length);
        const { bytesRead = 0 } = (await (await made)?.file.read(buffer, 0, length, at)) ?? {};
        return buffer.subarray(0, bytesRead);
      },
      async write(at, data) {
        const { file } = await (made ??= make(near));
        try {
          for (let done = 0; done < data.byteLength;)
            done += (await file.write(data, done, data.byteLength - done, at + done)).bytesWritten;
        } catch (cause) {
          throw refused(folder, cause);
        }
      },
      async close() {
        const last = await made?.catch(() => null);
        await last?.file.close();
        if (last) await rm(last.path, { force: true });
      },
    };
  };

async function make(near: string): Promise<{ readonly file: FileHandle; readonly path: string }> {
  const folder = await existing(near);
  const path = temporarySibling(join(folder, 'full-precision'));
  const file = await open(path, 'wx+').catch((cause: unknown) => Promise.reject(refused(folder, cause)));
  // Where that is refused while the file is open, close() removes it.
  await rm(path).catch(() => undefined);
  return { file, path };
}
