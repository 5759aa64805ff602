// A data set of the hub. Its files come in any form; the hub keeps a Parquet version of each beside them, in the revision
// refs/convert/parquet, as config/split/0000.parquet. https://huggingface.co/docs/dataset-viewer/parquet

import { AppError } from '../../base/errors';
import type { ColumnMap } from '../../data/read/column-map';
import { parquetLines } from '../../data/read/parquet';
import { DataReader } from '../../data/read/parse';
import type { DataStream } from '../../data/read/text-stream';
import type { ReadRange } from '../../data/read/types';
import type { FileSource } from '../sources/file-source';
import type { HubClient, RepoFile } from './client';
import { parseHubName } from './names';
import { LOOK_PATIENCE, patiently, type Patience } from './retry';
import type { HubModel } from './types';

const CONVERTED = 'refs/convert/parquet';

export interface DatasetName {
  readonly repo: string;
  /** A commit of the Parquet version; its branch if none is named. */
  readonly revision: string;
  readonly config: string | null;
  readonly split: string | null;
}

/** 'org/name', with '@commit', '#split' or '#config/split' behind it, or the address of its page. Throws HUB_NAME. */
export function parseDatasetName(text: string, hub: string): DatasetName {
  const [name, part, ...more] = text.trim().split('#');
  const parts = part === undefined ? [] : part.split('/');
  if (more.length > 0 || parts.length > 2 || parts.includes(''))
    throw new AppError(
      'HUB_NAME',
      `${JSON.stringify(text.slice(0, 80))} is not a data set.`,
      'Enter it as org/name or org/name#config/split.',
    );
  const { repo, revision } = parseHubName(name.replace(/^(https?:\/\/[^/]+(?:\/[^/]+)*?)\/datasets\//, '$1/'), hub);
  return {
    repo,
    revision: revision === 'main' ? CONVERTED : revision,
    config: parts.length === 2 ? parts[0] : null,
    split: parts.at(-1) ?? null,
  };
}

export interface DatasetLook {
  /** For the cache: each split is stored by itself. */
  readonly model: HubModel;
  readonly files: readonly RepoFile[];
  readonly config: string;
  readonly split: string;
  /** The hub has converted only the first part of it. */
  readonly partial: boolean;
  /** 'org/name@commit#config/split': the same rows at every later run. */
  readonly name: string;
}

/** Throws what the client throws, HUB_NOT_FOUND if there is no such config or split, and CONFIG_INVALID if one must be named. */
export async function lookAtDataset(
  client: HubClient,
  { repo, revision, config, split }: DatasetName,
  patience: Patience = LOOK_PATIENCE,
  signal?: AbortSignal,
): Promise<DatasetLook> {
  const info = await patiently(() => client.info(`datasets/${repo}`, revision, signal), patience, signal).catch((thrown: unknown) => {
    if (!(thrown instanceof AppError) || thrown.code !== 'HUB_NOT_FOUND' || !thrown.detail.includes('revision')) throw thrown;
    throw new AppError(thrown.code, `The hub has no Parquet version of ${repo}.`, 'Download its files, and give one of them.', {
      cause: thrown,
    });
  });
  const parts = info.files.map((file) => ({ file, place: placeOf(file.path) }));
  const chosen = choose(
    repo,
    'configuration',
    config,
    parts.map(({ place }) => place.config),
    'default',
  );
  const ofConfig = parts.filter(({ place }) => place.config === chosen);
  const part = choose(
    repo,
    `split of ${chosen}`,
    split,
    ofConfig.map(({ place }) => place.split),
    'train',
  );
  const of = ofConfig.filter(({ place }) => place.split === part).sort((a, b) => (a.file.path < b.file.path ? -1 : 1));
  return {
    model: { kind: 'hub', hub: client.hub, repo: `datasets/${repo}/${chosen}/${part}`, revision, commit: info.commit },
    files: of.map(({ file }, i) => ({ ...file, path: shardName(i), at: { repo: `datasets/${repo}`, path: file.path } })),
    config: chosen,
    split: part,
    partial: of.some(({ place }) => place.partial),
    name: `${repo}@${info.commit}#${chosen}/${part}`,
  };
}

const shardName = (index: number): string => `${String(index).padStart(4, '0')}.parquet`;

/** 'default/train/0000.parquet', or 'default/partial-train/0000.parquet' of a data set that is too large to be converted as a whole. */
function placeOf(path: string): { readonly config: string; readonly split: string; readonly partial: boolean } {
  const [config, folder] = path.split('/');
  const partial = folder.startsWith('partial-');
  return { config, split: partial ? folder.slice('partial-'.length) : folder, partial };
}

function choose(repo: string, what: string, asked: string | null, all: readonly string[], usual: string): string {
  const names = [...new Set(all)];
  const listed = names.slice(0, 20).join(', ');
  if (names.length === 0) throw new AppError('HUB_NOT_FOUND', `${repo} has no rows as Parquet.`, 'Choose another data set.');
  if (asked !== null && !names.includes(asked))
    throw new AppError(
      'HUB_NOT_FOUND',
      `${repo} has no ${what} '${asked}'; it has ${listed}.`,
      `Write it behind the name: ${repo}#config/split.`,
    );
  const found = asked ?? (names.length === 1 ? names[0] : names.find((name) => name === usual));
  if (found !== undefined) return found;
  throw new AppError('CONFIG_INVALID', `${repo} has more than one ${what}: ${listed}.`, `Choose one: ${repo}#config/split.`);
}

/** The rows of all files as JSON lines. */
function datasetStream(name: string, files: readonly { readonly size: number; readonly read: ReadRange }[]): DataStream {
  const utf8 = new TextEncoder();
  return {
    name,
    size: files.reduce((sum, { size }) => sum + size, 0),
    async *chunks() {
      for (const { size, read } of files) for await (const lines of parquetLines(name, size, read)) yield utf8.encode(lines);
    },
  };
}

/** The stored files of a data set as a stream. */
export async function storedDataset(name: string, source: FileSource): Promise<DataStream> {
  const paths = (await source.list()).filter((path) => path.endsWith('.parquet')).sort();
  const files = await Promise.all(
    paths.map(async (path) => ({ size: await source.size(path), read: (start: number, end: number) => source.read(path, start, end) })),
  );
  return datasetStream(name, files);
}

/**
 * The first rows as JSON lines, by ranges, before anything is downloaded: at most `most`. Throws DATASET_PARSE or DATASET_EMPTY if none
 * of them can be read with this map.
 */
export async function firstRows(
  client: HubClient,
  { files, name }: DatasetLook,
  map: ColumnMap | null,
  most = 20,
  patience: Patience = LOOK_PATIENCE,
  signal?: AbortSignal,
): Promise<string[]> {
  const [{ bytes, at, path }] = files;
  const read: ReadRange = (start, end) =>
    patiently(
      async () => {
        const { start: from, chunks } = await client.open(at!.repo, commitOf(name), at!.path, start, end, signal);
        const part = new Uint8Array(end - start);
        let offset = from;
        // A server without ranges sends the file from its beginning.
        for await (const chunk of chunks) {
          if (offset + chunk.byteLength > start) part.set(chunk.subarray(Math.max(0, start - offset)), Math.max(0, offset - start));
          offset += chunk.byteLength;
        }
        return part;
      },
      patience,
      signal,
    );
  const reader = new DataReader(`${name.replace(/@\w+/, '')} (${path})`, map);
  const lines: string[] = [];
  let rows = 0;
  for await (const text of parquetLines(name, bytes, read)) {
    const piece = text.trimEnd().split('\n').slice(0, most);
    lines.push(...piece);
    for (const _ of reader.push(`${piece.join('\n')}\n`)) rows++;
    break;
  }
  for (const _ of reader.end()) rows++;
  const { refusal } = reader.facts();
  if (rows === 0 && refusal) throw refusal;
  return lines;
}

const commitOf = (name: string): string => /@(\w+)#/.exec(name)![1];
