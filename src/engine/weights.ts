// Loads the weights of a model's files onto the GPU, a few MiB at a time, whatever the size of a tensor or of the model.

import type { ModelFiles, TensorPiece } from '../io/sources/model-files';
import { PIECE_ELEMENTS } from '../io/formats/pieces';
import { parameterCount } from '../model/parameters';
import type { Engine } from './engine';

/** How many pieces may wait for the GPU before the next one is read. Waiting pieces take up memory of the driver. */
const UNDER_WAY = 8;

/** `onPiece` receives each piece that was uploaded, and the progress (0 to 1); if it throws, the loading ends. */
export async function loadWeights(
  engine: Engine,
  files: ModelFiles,
  onPiece: (piece: TensorPiece, fraction: number) => void | Promise<void>,
): Promise<void> {
  const all = parameterCount(files.table);
  let [loaded, waiting] = [0, 0];
  for await (const piece of files.pieces()) {
    await engine.writeTensor(piece.row, piece.data, piece.start);
    loaded += piece.data.length;
    await onPiece(piece, loaded / all);
    waiting += piece.data.length / PIECE_ELEMENTS;
    if (waiting < UNDER_WAY) continue;
    await engine.executor.idle();
    waiting = 0;
  }
}
