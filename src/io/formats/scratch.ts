// A file that one run writes and reads at any place, and that nobody needs after it: the command line's in its folder, the page's in
// its private file system, or memory in tests.

export interface Scratch {
  /** Bytes [at, at + bytes), which have been written before. Throws STORAGE. */
  read(at: number, bytes: number): Promise<Uint8Array<ArrayBuffer>>;
  /** Throws STORAGE where they cannot be written. */
  write(at: number, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Closes the file and removes it. */
  close(): Promise<void>;
}

/** Opens a scratch file that will take up to so many bytes. Throws STORAGE, with the bytes, where there is no room for them. */
export type OpenScratch = (bytes: number) => Promise<Scratch>;

/** Keeps everything in memory, in as many pieces as are written. */
export function memoryScratch(): Scratch {
  const pieces = new Map<number, Uint8Array<ArrayBuffer>>();
  return {
    read: (at, bytes) => Promise.resolve(pieces.get(at)?.slice(0, bytes) ?? new Uint8Array()),
    write: (at, bytes) => Promise.resolve(void pieces.set(at, bytes.slice())),
    close: () => Promise.resolve(pieces.clear()),
  };
}
