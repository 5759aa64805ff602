// The tuned model as something to save: one zip, or the bare files where a zip cannot hold them.

import { crc32 } from '../../base/crc32';
import type { ExportedFile } from '../../worker/protocol';
import { ZIP_LIMIT, zipParts, type ZipEntry } from '../../base/zip';

export interface Download {
  readonly links: readonly { readonly name: string; readonly bytes: number; readonly url: string }[];
  readonly contents: readonly { readonly name: string; readonly bytes: number }[];
}

const isEntry = (file: ExportedFile): file is ExportedFile & ZipEntry => file.crc32 !== null;

/** `name` without an ending. No byte is read or copied here: an archive is made of the files' own blobs. */
export function makeDownload(name: string, files: readonly ExportedFile[]): Download {
  const contents = files.map((file) => ({ name: file.name, bytes: file.data.size }));
  const total = contents.reduce((sum, file) => sum + file.bytes, 0);
  const link = (linkName: string, blob: Blob) => ({ name: linkName, bytes: blob.size, url: URL.createObjectURL(blob) });
  const entries = files.filter(isEntry);
  // Headers are far below a mebibyte.
  const links =
    entries.length === files.length && total < ZIP_LIMIT - 2 ** 20
      ? [link(`${name}.zip`, new Blob(zipParts(entries), { type: 'application/zip' }))]
      : files.map((file) => link(file.name, new Blob([file.data])));
  return { links, contents };
}

export const revokeDownload = (download: Download): void => download.links.forEach((link) => URL.revokeObjectURL(link.url));

/** Hands every link to the browser's own download. */
export const saveDownload = (download: Download): void => download.links.forEach(({ name, url }) => saveUrl(name, url));

function saveUrl(name: string, url: string): void {
  const anchor = document.createElement('a');
  anchor.href = url;
  anchor.download = name;
  anchor.click();
}

/** How long a link stays valid, so that the browser can begin to read the file. */
const HANDOVER_MS = 60_000;

/** Hands a text or bytes that were made on the spot to the browser's own download. */
export function saveFile(name: string, content: string | Uint8Array<ArrayBuffer>, type: string): void {
  const url = URL.createObjectURL(new Blob([content], { type }));
  saveUrl(fileName(name), url);
  setTimeout(() => URL.revokeObjectURL(url), HANDOVER_MS);
}

/** Hands several texts in one zip to the browser's own download. */
export function saveTexts(name: string, files: readonly { readonly name: string; readonly text: string }[]): void {
  const entries = files.map((file): ZipEntry => {
    const data = new TextEncoder().encode(file.text);
    return { name: file.name, data, crc32: crc32(data) };
  });
  const url = URL.createObjectURL(new Blob(zipParts(entries), { type: 'application/zip' }));
  saveUrl(fileName(name), url);
  setTimeout(() => URL.revokeObjectURL(url), HANDOVER_MS);
}

/** The text without what a file name cannot hold. */
const fileName = (name: string): string => name.replace(/[^\p{L}\p{N}._-]+/gu, '-');

/** 'wordsmith-2m-lisa-step100' */
export const downloadName = (model: string, method: string, step: number): string => fileName(`${model}-${method}-step${step}`);

/** 'model.gguf' of an export as the file that a person keeps: '<name>-f16.gguf', '<name>-adapter.gguf'. */
export const ggufName = (name: string, path: string, type: string): string =>
  path === 'model.gguf' ? `${name}-${type}.gguf` : `${name}-${path}`;
