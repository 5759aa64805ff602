// Fills an engine with the model that a run starts from: the weights of its files, and LoRA's first adapters.

import { AppError } from '../base/errors';
import type { RunConfig } from '../config/run-config';
import { initialA, loraSites } from '../engine/lora';
import { loadWeights } from '../engine/weights';
import type { Engine } from '../engine/engine';
import type { TensorPiece } from '../io/sources/model-files';
import { runFingerprint, TensorDigests } from './fingerprint';
import type { RunInputs } from './prepare';

/** Names what was loaded: the model with its samples, and the model alone. */
interface Loaded {
  readonly run: string;
  readonly model: string;
}

/**
 * Returns the fingerprints. `onPiece` receives each piece that was uploaded, and the progress (0 to 1); if it throws,
 * the loading ends. Throws CONFIG_INVALID if the run's importance profile is of another model.
 */
export async function loadModel(
  engine: Engine,
  { config, files, dataset }: RunInputs,
  onPiece: (piece: TensorPiece, fraction: number) => Promise<void>,
): Promise<Loaded> {
  const digests = new TensorDigests();
  await loadWeights(engine, files, async (piece, fraction) => {
    await onPiece(piece, fraction);
    digests.add(piece);
  });
  for (const layer of engine.plan.buffers.adapters.keys()) {
    for (const { a, op, slice } of loraSites(files.shape))
      engine.writeAdapter(layer, a, initialA(config.seed, layer, slice, config.loraRank, op.in));
  }
  const model = runFingerprint(files.shape, digests.all);
  checkProfile(config, files.name, model);
  return { run: runFingerprint(files.shape, digests.all, dataset.train, dataset.evaluation), model };
}

/** Importance that was measured on other weights says nothing about these. */
function checkProfile({ method, lisaProfile }: RunConfig, name: string, fingerprint: string): void {
  if (method !== 'lisa' || !lisaProfile?.fingerprint || lisaProfile.fingerprint === fingerprint) return;
  throw new AppError(
    'CONFIG_INVALID',
    `The importance profile was measured on another model than ${name}: its fingerprint is ${lisaProfile.fingerprint}, that of ${name} is ${fingerprint}.`,
    'Measure the importance of this model, or run without the profile.',
  );
}
