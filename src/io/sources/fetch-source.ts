// A model that lies beside the page on its server: a base URL and a fixed list of files. A file is fetched as a whole, because
// static servers differ in range requests and compressed lengths. The last file is kept, so reading its tensors one by one
// costs one request.

import { AppError } from '../../base/errors';
import { shown } from '../../model/config';
import { missingFile, type FileSource } from './file-source';

export function fetchSource(
  name: string,
  baseUrl: string,
  files: readonly string[],
  fetcher: (url: string) => Promise<Response> = fetch,
): FileSource {
  let last: { readonly path: string; readonly bytes: Promise<Uint8Array<ArrayBuffer>> } | null = null;

  const load = async (path: string): Promise<Uint8Array<ArrayBuffer>> => {
    const url = `${baseUrl.replace(/\/+$/, '')}/${encodeURIComponent(path)}`;
    let response: Response;
    try {
      response = await fetcher(url);
    } catch (cause) {
      throw new AppError(
        'MODEL_FILE',
        `${name}: ${shown(path)} could not be fetched from ${url}.`,
        'Check the connection, then try again.',
        { cause },
      );
    }
    // Servers of single-page apps answer an unknown path with the page itself.
    const isPage = response.headers.get('content-type')?.includes('text/html') ?? false;
    if (!response.ok || isPage) {
      const answer = isPage ? 'a web page' : `status ${response.status}`;
      throw new AppError(
        'MODEL_FILE',
        `${name}: ${shown(path)} is not at ${url} (the server answered with ${answer}).`,
        'Reload the page. If this happens again, the site is incomplete.',
      );
    }
    try {
      return new Uint8Array(await response.arrayBuffer());
    } catch (cause) {
      throw new AppError('MODEL_FILE', `${name}: the download of ${shown(path)} broke off.`, 'Check the connection, then try again.', {
        cause,
      });
    }
  };

  const whole = (path: string): Promise<Uint8Array<ArrayBuffer>> => {
    if (!files.includes(path)) return Promise.reject(missingFile(name, path));
    if (last?.path !== path) {
      const bytes = load(path);
      last = { path, bytes };
      // A failure is not kept, so the next read tries again.
      bytes.catch(() => {
        if (last?.bytes === bytes) last = null;
      });
    }
    return last.bytes;
  };

  return {
    name,
    list: () => Promise.resolve([...files]),
    size: async (path) => (await whole(path)).byteLength,
    async read(path, start = 0, end) {
      const bytes = await whole(path);
      const stop = end ?? bytes.byteLength;
      if (start > stop || stop > bytes.byteLength) throw missingFile(name, `${path} bytes ${start}-${stop}`);
      return bytes.slice(start, stop);
    },
  };
}
