// For tests in Node: the browser's private file system in memory, with a quota, as far as src/io/opfs-*.ts use it.

import type { BrowserStorage } from '../io/browser/opfs-folder';

type Bytes = Uint8Array<ArrayBuffer>;

interface Folder {
  readonly files: Map<string, Bytes>;
  readonly folders: Map<string, Folder>;
}

const newFolder = (): Folder => ({ files: new Map(), folders: new Map() });
const notFound = (): DOMException => new DOMException('It is not there.', 'NotFoundError');
const full = (): DOMException => new DOMException('The quota is used up.', 'QuotaExceededError');

export class FakeOpfs {
  readonly root = newFolder();
  quota = Infinity;
  /** A full disk: a write takes what fits, as the specification allows, instead of throwing. */
  takesPart = false;
  /** The disk refuses to keep what was written. */
  flushFails = false;
  /** Files that are open for writing in place. */
  opened = 0;

  get usage(): number {
    const of = ({ files, folders }: Folder): number =>
      [...files.values()].reduce((sum, bytes) => sum + bytes.byteLength, 0) + [...folders.values()].reduce((sum, f) => sum + of(f), 0);
    return of(this.root);
  }

  /** Every file by its path. */
  get paths(): string[] {
    const of = ({ files, folders }: Folder, at: string): string[] => [
      ...[...files.keys()].map((name) => at + name),
      ...[...folders].flatMap(([name, folder]) => of(folder, `${at}${name}/`)),
    ];
    return of(this.root, '').sort();
  }

  readonly storage: BrowserStorage = {
    getDirectory: () => Promise.resolve(this.#directory(this.root)),
    estimate: () => Promise.resolve({ quota: this.quota, usage: this.usage }),
  };

  #directory(folder: Folder): FileSystemDirectoryHandle {
    const handle = {
      getDirectoryHandle: (name: string, { create = false } = {}) => {
        if (!folder.folders.has(name) && !create) return Promise.reject(notFound());
        if (!folder.folders.has(name)) folder.folders.set(name, newFolder());
        return Promise.resolve(this.#directory(folder.folders.get(name)!));
      },
      getFileHandle: (name: string, { create = false } = {}) => {
        if (!folder.files.has(name) && !create) return Promise.reject(notFound());
        if (!folder.files.has(name)) folder.files.set(name, new Uint8Array());
        return Promise.resolve(this.#file(folder, name));
      },
      removeEntry: (name: string) =>
        folder.files.delete(name) || folder.folders.delete(name) ? Promise.resolve() : Promise.reject(notFound()),
      async *keys() {
        yield* await Promise.resolve([...folder.files.keys(), ...folder.folders.keys()]);
      },
    };
    return handle as unknown as FileSystemDirectoryHandle;
  }

  #file(folder: Folder, name: string): FileSystemFileHandle {
    const put = (bytes: Bytes, at: number): number => {
      const held = folder.files.get(name)!;
      const size = Math.max(held.byteLength, at + bytes.byteLength);
      const room = Math.max(0, this.quota - this.usage + held.byteLength);
      if (size > room && !this.takesPart) throw full();
      const grown = new Uint8Array(Math.min(size, room));
      const taken = bytes.subarray(0, Math.max(0, grown.byteLength - at));
      grown.set(held.subarray(0, grown.byteLength));
      grown.set(taken, Math.min(at, grown.byteLength));
      folder.files.set(name, grown);
      return taken.byteLength;
    };
    const handle = {
      getFile: () => Promise.resolve(new File([folder.files.get(name)!], name)),
      createSyncAccessHandle: () => {
        this.opened++;
        return Promise.resolve({
          truncate: (size: number) => folder.files.set(name, folder.files.get(name)!.slice(0, size)),
          write: (bytes: Bytes, { at }: { at: number }) => put(bytes, at),
          read: (into: Bytes, { at }: { at: number }) => {
            const found = folder.files.get(name)!.subarray(at, at + into.byteLength);
            into.set(found);
            return found.byteLength;
          },
          flush: () => {
            if (this.flushFails) throw full();
          },
          close: () => void this.opened--,
        });
      },
      createWritable: () => {
        let text = '';
        return Promise.resolve({
          write: (part: string) => {
            text += part;
            return Promise.resolve();
          },
          close: () => {
            const bytes = new TextEncoder().encode(text);
            if (this.usage + bytes.byteLength > this.quota) return Promise.reject(full());
            folder.files.set(name, bytes);
            return Promise.resolve();
          },
        });
      },
    };
    return handle as unknown as FileSystemFileHandle;
  }
}
