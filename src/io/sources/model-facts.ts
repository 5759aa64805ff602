// What is known about a model before its weights are read: from config.json and the headers of its weights only. Every reason
// to refuse it later refuses it here, by name, except those that only the numbers can show.

import { CONVERT, hasTokenizer } from './tokenizer-text';
import { AppError } from '../../base/errors';
import { parameterCount } from '../../model/parameters';
import type { Dtype, ModelShape, CheckpointTypes } from '../../model/types';
import type { FileSource } from './file-source';
import { openModel } from './model-files';

export interface ModelFacts {
  readonly shape: ModelShape;
  readonly parameters: number;
  /** Parameters by the type they are stored in. */
  readonly dtypes: Readonly<Record<Dtype, number>>;
  readonly types: CheckpointTypes;
  /** The files that a run reads or an export copies, and no others in the folder. */
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
  /** Total bytes of these files. */
  readonly bytes: number;
}

/** One type if all tensors share it, as in most checkpoints; this keeps messages short. */
export function compactTypes(types: Readonly<Record<string, Dtype>>): CheckpointTypes {
  const [first, ...others] = new Set(Object.values(types));
  return first !== undefined && others.length === 0 ? first : types;
}

/** Throws what openModel throws, and TOKENIZER if there is no tokenizer.json. */
export async function readModelFacts(source: FileSource): Promise<ModelFacts> {
  const model = await openModel(source);
  if (!hasTokenizer(model.passthrough)) throw new AppError('TOKENIZER', `${model.name} has no tokenizer.json.`, CONVERT);
  const files: { path: string; bytes: number }[] = [];
  for (const path of [...model.modelPaths, ...model.passthrough]) files.push({ path, bytes: await source.size(path) });
  return {
    shape: model.shape,
    parameters: parameterCount(model.table),
    dtypes: model.dtypes,
    types: compactTypes(model.types),
    files,
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
  };
}
