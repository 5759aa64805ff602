// What a person dropped on the page, as a data file or as what is wrong with it. Pure.

import { DATA_ENDINGS, kindOf } from '../../data/detect-shape';

export type Dropped = { readonly file: File } | { readonly problem: string };

/** `folders`: names of dropped folders, which arrive as files too. */
export function droppedFile(files: readonly File[], folders: readonly string[]): Dropped | null {
  const plain = files.filter(({ name }) => !folders.includes(name));
  const file = plain.find(({ name }) => kindOf(name) !== undefined);
  if (file) return { file };
  if (plain.length > 0) return { problem: `${plain[0].name} is no data file: its name ends with none of .${DATA_ENDINGS.join(', .')}.` };
  return folders.length > 0 ? { problem: `${folders[0]} is a folder. Choose a model’s folder under Model.` } : null;
}
