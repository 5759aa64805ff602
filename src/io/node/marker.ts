// The file that marks a folder as written by LISA Studio, and which files in such a folder are its own. Nothing is written into
// a folder that holds other things and no marker, and nothing is deleted that is not on its list or of a name that only we give.

import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isWeightFile } from '../formats/shards';
import { COMPANIONS } from '../sources/model-files';
import { CHECKPOINT_FOLDER, isCheckpointFile } from './checkpoints';
import { isTemporary, writeJson } from './output';

export const MARKER = '.lisa-studio.json';
/** Beside the marker: the process that writes here now. */
export const LOCK = '.lisa-studio.lock';

export interface Marker {
  /** Of this run, through all its resumes. */
  readonly id: string;
  /** Exported files, relative to the folder. */
  readonly files: readonly string[];
  /** The folder beside this one that this run takes the place of once it is finished, and that folder's id. */
  readonly replaces?: { readonly name: string; readonly id: string };
}

const HEAD = { madeBy: 'LISA Studio', version: 1 } as const;
type Head = { readonly [K in keyof typeof HEAD]: unknown };

/** Null if there is none, or if it is not ours. */
export async function readMarker(folder: string): Promise<Marker | null> {
  try {
    const { madeBy, version, ...marker } = JSON.parse(await readFile(join(folder, MARKER), 'utf8')) as Marker & Head;
    const { id, files, replaces } = marker;
    const named = replaces === undefined || (typeof replaces.name === 'string' && typeof replaces.id === 'string');
    const sound = madeBy === HEAD.madeBy && version === HEAD.version && typeof id === 'string' && Array.isArray(files) && named;
    return sound && files.every((name) => typeof name === 'string') ? marker : null;
  } catch {
    return null;
  }
}

/** Throws STORAGE. */
export function writeMarker(folder: string, marker: Marker): Promise<void> {
  return writeJson(join(folder, MARKER), { ...HEAD, ...marker });
}

/** Written while a run goes on, before it exports. */
const RUN_FILES: ReadonlySet<string> = new Set(['metrics.jsonl', 'report.json']);

const isOwn = (path: string, { files }: Marker): boolean =>
  isHousekeeping(path) ||
  RUN_FILES.has(path) ||
  files.includes(path) ||
  (path.startsWith(`${CHECKPOINT_FOLDER}/`) && isCheckpointFile(path.slice(CHECKPOINT_FOLDER.length + 1)));

/** Files that say nothing about what the folder holds. */
export const isHousekeeping = (path: string): boolean =>
  path === MARKER || path === LOCK || path === `${LOCK}.clearing` || isTemporary(path.slice(path.lastIndexOf('/') + 1));

/** What a system puts into folders by itself. */
const BY_THE_SYSTEM: ReadonlySet<string> = new Set(['.DS_Store', 'Thumbs.db', 'desktop.ini', 'lost+found']);

/** Names directly in a folder, without those that a system puts there; null if there is no such folder. */
export async function namesIn(folder: string): Promise<string[] | null> {
  const names = await readdir(folder).catch((thrown: unknown) => {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw thrown;
  });
  return names?.filter((name) => !BY_THE_SYSTEM.has(name)) ?? null;
}

export interface Contents {
  readonly own: readonly string[];
  readonly foreign: readonly string[];
}

/** All files of a marked folder, at any depth, as paths with '/'. Links are not followed; a link is a file here. */
export async function contentsOf(folder: string, marker: Marker): Promise<Contents> {
  const [own, foreign]: [string[], string[]] = [[], []];
  const visit = async (below: string): Promise<void> => {
    for (const entry of await readdir(join(folder, below), { withFileTypes: true })) {
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      if (BY_THE_SYSTEM.has(entry.name)) continue;
      if (entry.isDirectory()) await visit(path);
      else (isOwn(path, marker) ? own : foreign).push(path);
    }
  };
  await visit('');
  return { own, foreign };
}

/** What an export of a version without markers may have written. */
const isExportName = (path: string): boolean =>
  isWeightFile(path) || COMPANIONS.has(path) || EXPORTED.has(path) || /^adapter\/adapter_(model\.safetensors|config\.json)$/.test(path);
const EXPORTED: ReadonlySet<string> = new Set(['README.md', 'config.json', 'model.gguf', 'adapter.gguf']);

/** The exported files of a run of a version without markers, which wrote report.json last. */
export async function exportsWithoutMarker(folder: string): Promise<string[]> {
  if (!(await stat(join(folder, 'report.json')).catch(() => null))?.isFile()) return [];
  const names = (await readdir(folder, { recursive: true })).map((name) => name.replaceAll('\\', '/'));
  return names.filter(isExportName);
}
