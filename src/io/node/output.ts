// Writing results to disk so that nothing half-written is ever found under a final name: each file goes to a temporary
// sibling, is flushed, and is renamed when all files of its set are complete.

import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { AppError } from '../../base/errors';
import { isPlainName } from '../sources/file-source';
import { plainFile, type ExportFile } from '../formats/export-file';

/** Writes all files or none of them; directories are made if needed. Throws STORAGE, or what a file's chunks throw. */
export async function writeFolder(directory: string, files: Iterable<ExportFile>): Promise<void> {
  const created: { readonly directory: string; readonly first: string }[] = [];
  const make = async (path: string): Promise<void> => {
    const first = await storage(path, () => mkdir(path, { recursive: true }));
    if (first !== undefined) created.push({ directory: path, first });
  };
  const pending: { readonly temporary: string; readonly target: string }[] = [];
  const folders = new Set([directory]);
  try {
    await make(directory);
    for (const file of files) {
      if (!file.path.split('/').every(isPlainName)) throw new AppError('INTERNAL', `${file.path} does not lie in the folder.`, '');
      const target = join(directory, file.path);
      const folder = dirname(target);
      if (!folders.has(folder)) await make(folder);
      folders.add(folder);
      const held = await stat(target).catch(() => null);
      if (held?.isDirectory())
        throw new AppError('STORAGE', `${target} is a directory, but a file must be written there.`, 'Choose another output directory.');
      const temporary = temporarySibling(target);
      pending.push({ temporary, target });
      await writeFlushed(temporary, target, file);
    }
    while (pending.length > 0) {
      const { temporary, target } = pending[0];
      await storage(target, () => rename(temporary, target));
      pending.shift();
    }
  } catch (thrown) {
    for (const { temporary } of pending) await rm(temporary, { force: true });
    for (const { directory: path, first } of created.reverse()) await removeCreated(path, first);
    throw thrown;
  }
  for (const folder of folders) await flushDirectory(folder);
}

/** Removes the directories that were made, from the innermost to `first`, if they are empty. */
export async function removeCreated(directory: string, first: string): Promise<void> {
  for (let path = resolve(directory); path.startsWith(first); path = dirname(path)) {
    if (
      await rmdir(path).then(
        () => false,
        () => true,
      )
    )
      return;
  }
}

/** One text file, replaced in one piece. Throws STORAGE. */
export async function writeText(path: string, text: string): Promise<void> {
  const bytes = new Uint8Array(Buffer.byteLength(text));
  new TextEncoder().encodeInto(text, bytes);
  await writeFolder(dirname(path), [plainFile(basename(path), bytes)]);
}

/** A value as indented JSON, replaced in one piece. Throws STORAGE. */
export function writeJson(path: string, value: unknown): Promise<void> {
  return writeText(path, `${JSON.stringify(value, null, 2)}\n`);
}

/** A name beside `target` that nobody else gives; the next run in the folder removes what is left under such names. */
export const temporarySibling = (target: string): string =>
  join(dirname(target), `.${basename(target)}.${randomBytes(6).toString('hex')}.tmp`);

/** A name that only temporarySibling gives. */
export const isTemporary = (name: string): boolean => /^\..+\.[0-9a-f]{12}\.tmp$/.test(name);

/** Removes what a killed process left half-written in these folders of a folder, which must be locked. What is still open may stay. */
export async function removeTemporaries(folder: string, below: readonly string[]): Promise<void> {
  for (const at of below.map((name) => join(folder, name))) {
    const names = await readdir(at).catch(() => []);
    for (const name of names) if (isTemporary(name)) await rm(join(at, name), { force: true }).catch(() => undefined);
  }
}

async function writeFlushed(temporary: string, target: string, file: ExportFile): Promise<void> {
  const handle = await storage(target, () => open(temporary, 'wx'));
  try {
    let written = 0;
    for await (const chunk of file.chunks()) {
      await storage(target, () => handle.writeFile(chunk));
      written += chunk.byteLength;
    }
    if (written !== file.size) throw new AppError('INTERNAL', `${file.path}: ${written} bytes were written instead of ${file.size}.`, '');
    await storage(target, () => handle.sync());
  } finally {
    await handle.close();
  }
}

/** Makes the renames themselves durable; not every system can flush a directory. */
async function flushDirectory(directory: string): Promise<void> {
  const handle = await open(directory).catch(() => null);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

/** The system's errors as one clear line: STORAGE. */
export async function storage<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    const remedy = REMEDIES.get(code) ?? 'Choose another output directory.';
    throw new AppError('STORAGE', `${path} cannot be written${code ? ` (${code})` : ''}.`, remedy, { cause });
  }
}

const REMEDIES: ReadonlyMap<string, string> = new Map([
  ['ENOSPC', 'The disk is full: free some space or choose another output directory.'],
  ['EDQUOT', 'The disk quota is used up: free some space or choose another output directory.'],
  ['EACCES', 'Check the permissions or choose another output directory.'],
  ['EPERM', 'Check the permissions or choose another output directory.'],
  ['EROFS', 'The file system is read-only: choose another output directory.'],
  ['EEXIST', 'A file with that name exists: choose another output directory.'],
  ['ENOENT', 'Its folder was removed meanwhile: choose another output directory.'],
  ['EBUSY', 'Another program uses it: choose another output directory.'],
  ['EXDEV', 'It lies on another disk: choose another output directory.'],
  ['ENOTDIR', 'Part of the path is a file: choose another output directory.'],
]);
