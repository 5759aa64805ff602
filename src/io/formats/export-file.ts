// A file to be written somewhere, produced piece by piece: an export, a download, a report.

export interface ExportFile {
  /** Relative to the folder. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  chunks(): AsyncGenerator<Uint8Array<ArrayBuffer>>;
}

export function plainFile(path: string, bytes: Uint8Array<ArrayBuffer>): ExportFile {
  return {
    path,
    size: bytes.byteLength,
    // An async generator by contract; the bytes are already here.
    // oxlint-disable-next-line typescript/require-await
    async *chunks() {
      yield bytes;
    },
  };
}
