// The weights of a model's files onto the GPU, one tensor at a time.

import type { LoadedTensor, ModelFiles } from '../io/model-files';
import type { Engine } from './engine';

/** `onTensor` hears of each tensor that was uploaded, and how much is done (0 to 1); what it throws ends the loading. */
export async function loadWeights(
  engine: Engine,
  files: ModelFiles,
  onTensor: (tensor: LoadedTensor, fraction: number) => void | Promise<void>,
): Promise<void> {
  let loaded = 0;
  for await (const tensor of files.tensors()) {
    engine.writeTensor(tensor.row, tensor.data);
    await onTensor(tensor, ++loaded / files.table.length);
  }
}
