// Whole runs of a dozen steps from a folder to the last checkpoint, over methods, kinds of block and storage layouts. For tests in
// Node; each keeps a checkpoint of every step.

import { join } from 'node:path';
import type { RunConfig } from '../config/run-config';
import type { Half } from '../dispatch/types';
import { nodeSource } from '../io/node/source';
import type { ModelShape } from '../model/types';
import { schedule } from '../lisa/schedule';
import { scheduleConfig } from '../plan/input';
import type { CheckpointReader } from '../io/formats/checkpoints';
import { prepareInputs, type RunInputs } from '../train/prepare';
import type { Session } from '../train/session';
import type { RunReport } from '../train/events';
import type { FixtureName } from './fixtures';
import { halfModelFile, temporaryFolder, writeTinyModel } from './tiny-folder';
import { openTiny, TestHost, textRows, TINY_CONFIG, trainedBytes, type TinyRun } from './tiny-session';

interface WholeRun {
  readonly model?: FixtureName;
  /** The type in which the model comes. */
  readonly stored?: Half;
  /** Largest buffer in bytes; larger blocks are cut. */
  readonly shardBytes?: number;
  readonly config: Partial<RunConfig>;
}

const OFF = { embedding: false, head: false, norm: false };

const WHOLE_RUNS = {
  'LISA, state dropped': { config: {} },
  'LISA, state parked, two micro-batches a step': {
    config: { lisaState: 'park', gradAccum: 2, lisaEmbedding: 'sampled', lisaNorm: 'sampled' },
  },
  'LISA without embedding, head and norm, rows packed': { config: { alwaysOn: OFF, packing: true } },
  LoRA: { config: { method: 'lora', lr: 5e-2 } },
  full: { config: { method: 'full', gradClip: 0 } },
  // The other kinds of block: learned positions and fused q, k, v; biases everywhere.
  'GPT-2, re-warmed joiners, embedding by rows': { model: 'tiny-gpt2', config: { lisaRewarm: 3, lisaEmbedding: 'rows' } },
  'Llama with biases, cycle, clipped by layer': {
    model: 'tiny-llama-bias',
    config: { lisaLayers: 1, lisaSampler: 'cycle', gradClipMode: 'block' },
  },
  // Draws that follow from what the run measures.
  'adaptive by gradient norms, clipped by layer, rates corrected': {
    config: {
      lisaSampler: 'weighted',
      lisaAdapt: 'gradients',
      lisaCorrectRate: true,
      gradClipMode: 'block',
      lisaEmbedding: 'off',
      lisaHead: 'off',
    },
  },
  'adaptive by how far layers move, Algorithm 1': { config: { lisaSampler: 'algorithm1', lisaAdapt: 'updates', lisaNorm: 'sampled' } },
  // The other ways in which weights lie.
  'f32 in shards, state parked': { shardBytes: 1, config: { lisaState: 'park', alwaysOn: { embedding: false, head: true, norm: true } } },
  'bf16 as it came': { stored: 'bf16', config: { weightStorage: 'stored', lisaLayers: 1, alwaysOn: { ...OFF, norm: true } } },
  'f16 as it came, in shards': {
    stored: 'f16',
    shardBytes: 1,
    config: { weightStorage: 'stored', lisaLayers: 1, alwaysOn: OFF, optimizerState: 'int8', recompute: 'layer' },
  },
} as const satisfies Record<string, WholeRun>;
export type WholeRunName = keyof typeof WHOLE_RUNS;

/** There are three samples to train on and one held out, so batches of two begin a new epoch at every second step. */
export const FOUR_ROWS = textRows(4);

export interface Finished {
  readonly inputs: RunInputs;
  readonly host: TestHost;
  readonly report: RunReport;
  readonly weights: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
}

/** Runs a session to its end and closes it. */
export async function finish(inputs: RunInputs, session: Session, host: TestHost): Promise<Finished> {
  try {
    const report = await session.run();
    return { inputs, host, report, weights: await trainedBytes(session) };
  } finally {
    session.close();
  }
}

/** A session of this run, from a checkpoint of it or from the beginning. The caller closes it. */
export function openWhole(name: WholeRunName, inputs: RunInputs, from: CheckpointReader | null = null, host?: TestHost): Promise<TinyRun> {
  const { shardBytes }: WholeRun = WHOLE_RUNS[name];
  return openTiny(inputs, from, host, shardBytes);
}

export interface WholeRuns {
  /** The uninterrupted run, with a proof after every period that frozen weights are unchanged; trained at the first call. */
  uninterrupted(name: WholeRunName): Promise<Finished>;
  /** Removes the models' folder. */
  remove(): void;
}

export function wholeRuns(): WholeRuns {
  const folder = temporaryFolder('whole-runs');
  const finished = new Map<WholeRunName, Promise<Finished>>();
  return {
    uninterrupted(name) {
      const known = finished.get(name);
      if (known) return known;
      const made = (async (): Promise<Finished> => {
        const inputs = await inputsOf(join(folder.path, String(finished.size)), WHOLE_RUNS[name]);
        const host = new TestHost();
        host.proof = 'every period';
        const { session } = await openWhole(name, inputs, null, host);
        return finish(inputs, session, host);
      })();
      finished.set(name, made);
      return made;
    },
    remove: () => folder.remove(),
  };
}

async function inputsOf(path: string, { model = 'tiny-llama', stored, config: changes }: WholeRun): Promise<RunInputs> {
  writeTinyModel(path, model, stored ? { 'model.safetensors': await halfModelFile(model, stored) } : {});
  const config = { ...TINY_CONFIG, method: 'lisa' as const, ...changes };
  const prepare = async (of: RunConfig): Promise<RunInputs> =>
    prepareInputs(of, { model: await nodeSource(path), data: FOUR_ROWS, evalData: null });
  return prepare({ ...config, seed: telling(config, (await prepare(config)).files.shape) });
}

/** A seed with which one layer leaves and comes back, and another one stays over a switch. */
function telling(config: RunConfig, shape: ModelShape): number {
  // That needs at least two layers at a time, more than two layers in total, and no cycle.
  if (shape.layers < 3 || config.lisaLayers < 2 || config.lisaSampler !== 'uniform') return config.seed;
  for (let seed = 0; ; seed++) {
    const [a, b, c] = schedule(scheduleConfig(shape, { ...config, seed })).map(({ layers }) => layers);
    if (a.some((l) => !b.includes(l) && c.includes(l)) && a.some((l) => b.includes(l))) return seed;
  }
}
