// An engine with a model loaded, and steps on its data, for work beside a run: nothing is evaluated, sampled or saved.

import { Loader } from '../data/batch/loader';
import { Engine } from '../engine/engine';
import { dispatchFlopsOf } from '../engine/speed';
import { truthOf } from '../engine/truth';
import { chooseKernels } from '../engine/tune';
import type { Gpu } from '../gpu/device';
import { memoryScratch } from '../io/formats/scratch';
import type { TensorPiece } from '../io/sources/model-files';
import { LayerController } from '../lisa/controller';
import { turnsOf } from '../lisa/schedule';
import { planInput, scheduleConfig } from '../plan/input';
import { loadModel } from './load-model';
import type { RunInputs } from './prepare';
import type { StepState } from './step';

export interface Rig {
  readonly engine: Engine;
  readonly state: StepState;
  /** Of the model alone. */
  readonly fingerprint: string;
}

/** `onPiece` gets each piece of the model that was uploaded, and the progress; if it throws, the loading ends. The caller closes the engine. */
export async function openRig(
  gpu: Gpu,
  inputs: RunInputs,
  onPiece: (engine: Engine, piece: TensorPiece, fraction: number) => Promise<void>,
): Promise<Rig> {
  const { config, files, dataset } = inputs;
  gpu.takeFault();
  const { kernels } = await chooseKernels(gpu, files.shape, config.batchSize * config.seqLen);
  const options = { kernels, dispatchFlops: await dispatchFlopsOf(gpu), types: files.types, dataTokens: dataset.tokens.length };
  const truth = truthOf(
    (...part) => files.tensor(...part),
    () => Promise.resolve(memoryScratch()),
  );
  const engine = await Engine.create(gpu, planInput(files.shape, config, options), { tokens: dataset.tokens, truth });
  try {
    const { model } = await loadModel(engine, inputs, (piece, fraction) => onPiece(engine, piece, fraction));
    const state: StepState = {
      config,
      engine,
      loader: new Loader(dataset.train, config),
      turns: turnsOf(config, scheduleConfig(files.shape, config)),
      controller: new LayerController(engine.plan.buffers.slots.length, false),
      parked: new Map(),
      completed: 0,
    };
    return { engine, state, fingerprint: model };
  } catch (error) {
    engine.close();
    throw error;
  }
}
