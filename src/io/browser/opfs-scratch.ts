// A scratch file in the browser's private file system, from a worker. Nobody else can open it meanwhile. Files that a closed tab left
// behind are removed when the next one is opened.

import type { OpenScratch } from '../formats/scratch';
import { openFolder, removeFrom, storageError, type BrowserStorage } from './opfs-folder';

const WHAT = 'the full-precision weights of trained layers';

export const opfsScratch =
  (folderName: string, storage: BrowserStorage = navigator.storage): OpenScratch =>
  async (bytes) => {
    const name = crypto.randomUUID();
    try {
      const folder = await openFolder(storage, [folderName], true);
      // One that another tab has open stays: it cannot be removed.
      for await (const old of folder.keys()) await removeFrom(folder, old).catch(() => undefined);
      const handle = await (await folder.getFileHandle(name, { create: true })).createSyncAccessHandle();
      const refuse = async (cause: unknown): Promise<never> => Promise.reject(await storageError(storage, cause, WHAT, bytes));
      const { quota, usage = 0 } = await storage.estimate();
      if (quota !== undefined && quota - usage < bytes) {
        handle.close();
        await removeFrom(folder, name);
        return await refuse(new DOMException('There is no room.', 'QuotaExceededError'));
      }
      return {
        read(at, length) {
          const buffer = new Uint8Array(length);
          return Promise.resolve(buffer.subarray(0, handle.read(buffer, { at })));
        },
        async write(at, data) {
          try {
            if (handle.write(data, { at }) < data.byteLength)
              throw new DOMException('Fewer bytes were taken than given.', 'QuotaExceededError');
          } catch (cause) {
            await refuse(cause);
          }
        },
        async close() {
          handle.close();
          await removeFrom(folder, name);
        },
      };
    } catch (cause) {
      throw await storageError(storage, cause, WHAT, bytes);
    }
  };
