// Files on disk, for the command line: a model directory as a FileSource, and single data files.

import { createReadStream } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { DataStream } from '../../data/read/text-stream';
import { AppError } from '../../base/errors';
import { checkLength, isPlainName, missingFile, type FileSource } from '../sources/file-source';
import { ggufSource, orGguf } from '../sources/gguf-source';

/** One read call moves less than 2 GiB. */
const MAX_READ = 2 ** 30;

/**
 * The files directly in a directory; links are followed (a download cache is made of them). Throws MODEL_FILE when there is
 * no such directory.
 */
/** The one folder of a model that is read beside its own files. */
const TEMPLATES = 'additional_chat_templates';

export async function nodeSource(directory: string): Promise<FileSource> {
  const name = basename(resolve(directory));
  const info = await stat(directory).catch(() => null);
  if (!info?.isDirectory()) {
    const detail = info ? `${directory} is a file, not a model directory.` : `The model directory ${directory} does not exist.`;
    throw new AppError('MODEL_FILE', detail, 'Give a directory in Hugging Face layout: config.json, model.safetensors, tokenizer.json.');
  }
  const full = (path: string): string => {
    const [folder, file] = path.startsWith(`${TEMPLATES}/`) ? [TEMPLATES, path.slice(TEMPLATES.length + 1)] : ['', path];
    if (!isPlainName(file)) throw missingFile(name, path);
    return join(directory, folder, file);
  };
  const size = async (path: string): Promise<number> => {
    const file = await stat(full(path)).catch((cause: unknown) => {
      throw missingFile(name, path, cause);
    });
    if (!file.isFile()) throw missingFile(name, path);
    return file.size;
  };
  return {
    name,
    async list() {
      const found: string[] = [];
      const templates = await readdir(join(directory, TEMPLATES)).catch(() => []);
      for (const path of [...(await readdir(directory)), ...templates.map((file) => `${TEMPLATES}/${file}`)].sort()) {
        const file = await stat(join(directory, path)).catch(() => null);
        if (file?.isFile()) found.push(path);
      }
      return found;
    },
    size,
    async read(path, start = 0, end) {
      const stop = end ?? (await size(path));
      const file = await open(full(path)).catch((cause: unknown) => {
        throw missingFile(name, path, cause);
      });
      try {
        const bytes = new Uint8Array(stop - start);
        let filled = 0;
        while (filled < bytes.byteLength) {
          const { bytesRead } = await file.read(bytes, filled, Math.min(MAX_READ, bytes.byteLength - filled), start + filled);
          if (bytesRead === 0) break;
          filled += bytesRead;
        }
        return checkLength(bytes.subarray(0, filled), stop - start, name, path);
      } catch (thrown) {
        throw thrown instanceof AppError ? thrown : missingFile(name, path, thrown);
      } finally {
        await file.close();
      }
    },
  };
}

/** A model's directory, or a GGUF file. Throws MODEL_FILE, and what reading a GGUF file throws. */
export async function nodeModel(path: string): Promise<FileSource> {
  if (!path.toLowerCase().endsWith('.gguf')) return orGguf(await nodeSource(path));
  const [folder, file] = [await nodeSource(dirname(resolve(path))), basename(path)];
  return ggufSource(file, await folder.size(file), (start, end) => folder.read(file, start, end));
}

/** A data file, read as needed. Throws DATASET_READ, also during reading. */
export async function openDataFile(path: string): Promise<DataStream> {
  const info = await stat(path).catch(() => null);
  if (!info)
    throw new AppError(
      'DATASET_READ',
      `The data file ${path} does not exist.`,
      'Give a .jsonl, .csv or .txt file, or the name of a built-in data set.',
    );
  if (!info.isFile()) throw new AppError('DATASET_READ', `${path} is not a file.`, 'Give a .jsonl, .csv or .txt file.');
  return {
    name: basename(path),
    size: info.size,
    async read(start, end) {
      const file = await open(path);
      try {
        const bytes = new Uint8Array(end - start);
        const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
        return bytes.subarray(0, bytesRead);
      } finally {
        await file.close();
      }
    },
    async *chunks() {
      try {
        for await (const chunk of createReadStream(path)) yield chunk as Uint8Array;
      } catch (cause) {
        throw new AppError('DATASET_READ', `The data file ${path} cannot be read.`, 'Check its permissions.', { cause });
      }
    },
  };
}
