// Files that a person picked or dropped: a folder (webkitRelativePath 'top/config.json') or single files. Paths are relative to
// the folder. Only requested ranges are read, and only on request.

import { AppError } from '../../base/errors';
import { shown } from '../../model/config';
import { checkLength, missingFile, type FileSource } from './file-source';

export function fileListSource(files: Iterable<File>, name?: string): FileSource {
  const byPath = new Map<string, File>();
  let top = '';
  for (const file of files) {
    const [folder, ...rest] = file.webkitRelativePath ? file.webkitRelativePath.split('/') : ['', file.name];
    top ||= folder ?? '';
    const path = rest.join('/');
    if (byPath.has(path))
      throw new AppError('MODEL_FILE', `Two of the chosen files are called ${shown(path)}.`, 'Choose the files of one model folder.');
    byPath.set(path, file);
  }
  const source = name ?? (top || 'chosen files');
  const get = (path: string): File => {
    const file = byPath.get(path);
    if (!file) throw missingFile(source, path);
    return file;
  };
  return {
    name: source,
    list: () => Promise.resolve([...byPath.keys()].sort()),
    size: (path) => Promise.resolve().then(() => get(path).size),
    async read(path, start = 0, end) {
      const file = get(path);
      const stop = end ?? file.size;
      try {
        return checkLength(new Uint8Array(await file.slice(start, stop).arrayBuffer()), stop - start, source, path);
      } catch (thrown) {
        // The browser refuses to read a file that was moved or changed after it was picked.
        throw thrown instanceof AppError ? thrown : missingFile(source, path, thrown);
      }
    },
  };
}
