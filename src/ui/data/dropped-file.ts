// What a person dropped on the page: a data file, a model's folder or its files, or what is wrong with it. Pure.

import { DATA_ENDINGS, kindOf } from '../../data/read/detect-shape';

export type Dropped =
  | { readonly file: File }
  /** Files of a model, side by side. */
  | { readonly model: readonly File[] }
  /** The name of a folder, which is a model's if it is anything. */
  | { readonly folder: string }
  | { readonly problem: string };

const isModelFile = ({ name }: File): boolean => name === 'config.json' || isWeights(name);
const isWeights = (name: string): boolean => name.endsWith('.safetensors') || name.endsWith('.gguf');

/** `folders`: names of dropped folders, which arrive as files too. */
export function droppedFile(files: readonly File[], folders: readonly string[]): Dropped | null {
  const plain = files.filter(({ name }) => !folders.includes(name));
  // A data file may also be called config.json; with weights beside it, it belongs to a model.
  const model = plain.some(({ name }) => isWeights(name)) || (plain.length > 1 && plain.some(isModelFile));
  if (model) return { model: plain };
  const file = plain.find(({ name }) => kindOf(name) !== undefined);
  if (file) return { file };
  if (plain.length > 0)
    return { problem: `${plain[0].name} is not a supported file type. Supported endings: .${DATA_ENDINGS.join(', .')}.` };
  if (folders.length > 1) return { problem: `You dropped ${folders.length} folders. Drop the folder of one model.` };
  return folders.length > 0 ? { folder: folders[0] } : null;
}
