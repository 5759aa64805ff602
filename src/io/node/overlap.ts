// Whether writing to a folder could touch what a program reads: the folder is one of its inputs, or holds one, by any name that
// leads there. Files are compared by device and number, so links, letter case and bind mounts do not hide anything.

import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';

/** The real path of what may not exist: that of its nearest parent that does, and the rest as given. */
export async function realPath(path: string): Promise<string> {
  const full = resolve(path);
  const real = await realpath(full).catch(() => null);
  if (real !== null) return real;
  const parent = dirname(full);
  return parent === full ? full : join(await realPath(parent), basename(full));
}

const idOf = async (path: string): Promise<string | null> => {
  const info = await stat(path, { bigint: true }).catch(() => null);
  return info && `${info.dev} ${info.ino}`;
};

/** How `folder` and an input overlap: 'is' it, or 'holds' it; null if they do not. Neither has to exist. */
export async function overlap(folder: string, input: string): Promise<'is' | 'holds' | null> {
  const [out, source] = [await realPath(folder), await realPath(input)];
  if (out === source) return 'is';
  if (source.startsWith(out.endsWith(sep) ? out : out + sep)) return 'holds';
  const id = await idOf(out);
  if (id === null) return null;
  if ((await idOf(source)) === id) return 'is';
  for (const place of await placesOf(source)) if (await isBelow(place, id)) return 'holds';
  return null;
}

/** The input, and where the files of a folder really lie (a download cache is a folder of links). */
async function placesOf(input: string): Promise<Set<string>> {
  const places = new Set([dirname(input)]);
  for (const name of await readdir(input).catch(() => [])) {
    const real = await realpath(join(input, name)).catch(() => null);
    if (real !== null && dirname(real) !== input) places.add(dirname(real));
  }
  return places;
}

async function isBelow(place: string, id: string): Promise<boolean> {
  for (let at = place; ; at = dirname(at)) {
    if ((await idOf(at)) === id) return true;
    if (dirname(at) === at) return false;
  }
}
