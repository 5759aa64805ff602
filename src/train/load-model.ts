// Fills an engine with the model that a run starts from: the weights of its files, and LoRA's first adapters.

import { initialA, loraSites } from '../engine/lora';
import { loadWeights } from '../engine/weights';
import type { Engine } from '../engine/engine';
import type { TensorPiece } from '../io/sources/model-files';
import { runFingerprint, TensorDigests } from './fingerprint';
import type { RunInputs } from './prepare';

/**
 * Returns the fingerprint of model and samples. `onPiece` receives each piece that was uploaded, and the progress (0 to 1); if it throws,
 * the loading ends.
 */
export async function loadModel(
  engine: Engine,
  { config, files, dataset }: RunInputs,
  onPiece: (piece: TensorPiece, fraction: number) => Promise<void>,
): Promise<string> {
  const digests = new TensorDigests();
  await loadWeights(engine, files, async (piece, fraction) => {
    await onPiece(piece, fraction);
    digests.add(piece);
  });
  for (const layer of engine.plan.buffers.adapters.keys()) {
    for (const { a, op, slice } of loraSites(files.shape))
      engine.writeAdapter(layer, a, initialA(config.seed, layer, slice, config.loraRank, op.in));
  }
  return runFingerprint(files.shape, digests.all, dataset.train, dataset.evaluation);
}
