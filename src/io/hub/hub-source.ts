// A repository as a source of files, read by ranges over the network. It is for looking up a model before its download, which
// reads only config.json and the headers of the weights.

import { AppError } from '../../base/errors';
import { shown } from '../../model/config';
import { missingFile, type FileSource } from '../sources/file-source';
import type { HubClient, RepoInfo } from './client';
import { patiently, type Patience } from './retry';

/** No range request comes near this size; anything larger would be weights. */
const MOST_READ = 128 * 2 ** 20;

export function hubSource(client: HubClient, repo: string, info: RepoInfo, patience: Patience, signal?: AbortSignal): FileSource {
  const sizes = new Map(info.files.map(({ path, bytes }) => [path, bytes]));
  const size = (path: string): number => {
    const bytes = sizes.get(path);
    if (bytes === undefined) throw missingFile(repo, path);
    return bytes;
  };
  const readRange = async (path: string, start: number, end: number): Promise<Uint8Array<ArrayBuffer>> => {
    const opened = await client.open(repo, info.commit, path, start, end, signal);
    const bytes = new Uint8Array(end - start);
    let at = opened.start;
    // A server without ranges sends the file from its beginning.
    for await (const chunk of opened.chunks) {
      if (at + chunk.byteLength > start) bytes.set(chunk.subarray(Math.max(0, start - at)), Math.max(0, at - start));
      at += chunk.byteLength;
    }
    return bytes;
  };
  return {
    name: repo,
    list: () => Promise.resolve([...sizes.keys()].sort()),
    size: (path) => Promise.resolve().then(() => size(path)),
    async read(path, start = 0, end = size(path)) {
      if (start > end || end > size(path)) throw missingFile(repo, `${path} bytes ${start}-${end}`);
      if (start === end) return new Uint8Array();
      if (end - start > MOST_READ)
        throw new AppError('MODEL_FILE', `${repo}: ${shown(path)} is too large to read before a download.`, 'Use another model.');
      return patiently(() => readRange(path, start, end), patience, signal);
    },
  };
}
