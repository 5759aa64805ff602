// Measures how important layers are, as LISA's paper does (arXiv 2403.17919, section 3): trains LoRA for some steps from the model as it is,
// records norms by layer after each step, and throws the adapters away. The same engine and the same step as a run; nothing is written, and
// no weight of the model changes.

import { AppError } from '../base/errors';
import type { RunConfig } from '../config/run-config';
import { Loader } from '../data/batch/loader';
import type { Dataset } from '../data/sample/dataset';
import { loraSites, mergeAdapter, type LoraSite } from '../engine/lora';
import type { Engine } from '../engine/engine';
import type { Gpu } from '../gpu/device';
import { piecesOf } from '../io/formats/pieces';
import { productSquares, sumOfSquares } from '../lisa/low-rank';
import { probeWeights, type ImportanceProfile, type ProbeNorms, type ProbeStep } from '../lisa/profile';
import { elementsOf } from '../model/types';
import type { Block } from '../plan/run-buffers';
import { frozenBlocks, FrozenProof } from './frozen-proof';
import type { RunInputs } from './prepare';
import { openRig } from './rig';
import { takeStep, type StepState } from './step';

/** Default number of steps. */
export const PROBE_STEPS = 30;

export interface ProbeProgress {
  readonly phase: 'loading' | 'lora' | 'full';
  /** Steps of the phase that are done, and all of them; while loading, parts of 1. */
  readonly done: number;
  readonly of: number;
  /** Of the last step. */
  readonly loss?: number;
}

/** A [rank, in] and B [out, rank] of one matrix of a layer, row by row, as they are after a step. */
export interface ProbeAdapter {
  readonly layer: number;
  /** Local name of the matrix, such as q_proj. */
  readonly slice: string;
  readonly a: Float32Array<ArrayBuffer>;
  readonly b: Float32Array<ArrayBuffer>;
}

export interface ProbeHost {
  progress(progress: ProbeProgress): void;
  /** Told the adapters that the norms of a step were taken from, for those who want to check the norms. */
  adapters?(step: number, adapters: readonly ProbeAdapter[]): Promise<void>;
  /** Called between steps; throws where the probe is not wanted any more. */
  check(): Promise<void>;
}

export interface ProbeOptions {
  /** Also trains the whole model for as many steps, at this learning rate, for the denominator of the paper's rule. Null: ‖W₀‖ stands in. */
  readonly fullLr: number | null;
  /** Reads the model's weights back at the end and compares every bit with what was loaded. */
  readonly verify: boolean;
}

export interface ProbeResult {
  readonly profile: ImportanceProfile;
  /** Time of LoRA's steps, and of reading adapters and computing norms beside them. */
  readonly seconds: { readonly steps: number; readonly norms: number };
  /** Blocks that were read back and are bit for bit as they were loaded; null if that was not asked for. */
  readonly unchanged: readonly string[] | null;
}

/** `inputs.config` says steps, rank, α, learning rate, batch and seed of the LoRA that is trained; its method is LoRA. */
export async function measureImportance(
  gpu: Gpu,
  inputs: RunInputs,
  { fullLr, verify }: ProbeOptions,
  host: ProbeHost,
): Promise<ProbeResult> {
  const { config, files, dataset } = inputs;
  checkEnoughData(dataset, config);
  const lora = await probeLora(gpu, inputs, verify, host);
  const full = fullLr === null ? null : await normsUnderFull(gpu, { ...inputs, config: { ...config, method: 'full', lr: fullLr } }, host);
  const norms: ProbeNorms = { ...lora.norms, full };
  const profile: ImportanceProfile = {
    source: 'lora',
    model: { name: files.name, fingerprint: lora.fingerprint, layers: files.shape.layers },
    data: { name: dataset.summary.name, rows: dataset.summary.rows },
    norms,
    steps: config.steps,
    weights: probeWeights(norms),
  };
  return { profile, seconds: lora.seconds, unchanged: lora.unchanged };
}

/** Norms of rows that were seen twice would say what a run has learned by heart. Throws DATASET_EMPTY. */
function checkEnoughData({ train, summary }: Dataset, config: RunConfig): void {
  const loader = new Loader(train, config);
  for (let step = 1; step <= config.steps; step++) {
    loader.nextStep();
    const { epoch, cursor } = loader.state();
    if (epoch === 0 || (epoch === 1 && cursor === 0)) continue;
    throw new AppError(
      'DATASET_EMPTY',
      `${summary.name} is too small: ${summary.rows} rows are ${step - 1} steps without repeating one, and ${config.steps} are asked for.`,
      step > 1 ? `Measure ${step - 1} steps or fewer, or add data.` : 'Use smaller batches, or add data.',
    );
  }
}

/** Takes a step and waits for it. Throws NONFINITE_LOSS. */
async function soundStep(state: StepState, phase: 'lora' | 'full', host: ProbeHost): Promise<number> {
  await host.check();
  const { step, stats } = await takeStep(state);
  const { loss, bad } = await stats;
  if (bad)
    throw new AppError(
      'NONFINITE_LOSS',
      `The loss or the gradient of step ${step} of the ${phase === 'lora' ? 'probe' : 'full training beside the probe'} is not a finite number, so there are no norms to go by.`,
      'Lower the learning rate of the probe, or check the model.',
    );
  host.progress({ phase, done: step, of: state.config.steps, loss });
  return loss;
}

type LoraNorms = Omit<ProbeNorms, 'full'>;

async function probeLora(
  gpu: Gpu,
  inputs: RunInputs,
  verify: boolean,
  host: ProbeHost,
): Promise<Omit<ProbeResult, 'profile'> & { norms: LoraNorms; fingerprint: string }> {
  const { config, files } = inputs;
  const { loraRank: rank, loraAlpha: alpha, lr, seed, batchSize, gradAccum, seqLen } = config;
  const sites = loraSites(files.shape);
  const adapted = new Set(sites.map(({ weight }) => weight));
  const squares = Array.from({ length: files.shape.layers }, () => 0);
  let proof: FrozenProof | null = null;
  const { engine, state, fingerprint } = await openRig(gpu, inputs, async (loading, piece, fraction) => {
    await host.check();
    const { layer, local } = piece.row;
    if (layer !== null && adapted.has(local)) squares[layer] += sumOfSquares(piece.data);
    if (verify) await (proof ??= new FrozenProof(loading)).notePiece(piece);
    host.progress({ phase: 'loading', done: fraction, of: 1 });
  });
  try {
    const steps: ProbeStep[] = [];
    const seconds = { steps: 0, norms: 0 };
    while (state.completed < config.steps) {
      const began = performance.now();
      const loss = await soundStep(state, 'lora', host);
      const stepped = performance.now();
      const { adapters, ...norms } = await adapterNorms(engine, sites, rank, alpha / rank);
      steps.push({ step: state.completed, loss, ...norms });
      seconds.steps += (stepped - began) / 1000;
      seconds.norms += (performance.now() - stepped) / 1000;
      await host.adapters?.(state.completed, adapters);
    }
    const ended = performance.now();
    const merged = await mergedNorms(engine, sites, rank, alpha / rank, host);
    seconds.norms += (performance.now() - ended) / 1000;
    const frozen = frozenBlocks(engine, []);
    const changed = proof ? await (proof as FrozenProof).changed(frozen) : [];
    if (changed.length > 0)
      throw new AppError('INTERNAL', `The probe has changed weights of the model: ${changed.join(', ')}.`, 'Please report it.');
    const settings = { rank, alpha, lr, seed, batchSize, gradAccum, seqLen };
    return { norms: { settings, steps, base: squares.map(Math.sqrt), merged }, fingerprint, seconds, unchanged: verify ? frozen : null };
  } finally {
    engine.close();
  }
}

/** A layer's adapters, read at once; by local name. */
async function readAdapters(engine: Engine, { weights, layout }: Block): Promise<(local: string) => Float32Array<ArrayBuffer>> {
  const bytes = await engine.readSharded(weights);
  return (local) => {
    const { offset, elements } = layout.places.get(local)!;
    return new Float32Array(bytes.buffer, offset, elements);
  };
}

/** Adapters and their norms by layer as they are now. */
async function adapterNorms(
  engine: Engine,
  sites: readonly LoraSite[],
  rank: number,
  scale: number,
): Promise<Pick<ProbeStep, 'update' | 'a' | 'b'> & { adapters: readonly ProbeAdapter[] }> {
  const norms = { update: [] as number[], a: [] as number[], b: [] as number[], adapters: [] as ProbeAdapter[] };
  for (const [layer, adapter] of engine.plan.buffers.adapters.entries()) {
    const of = await readAdapters(engine, adapter);
    const sum = { update: 0, a: 0, b: 0 };
    for (const site of sites) {
      const [a, b] = [of(site.a), of(site.b)];
      norms.adapters.push({ layer, slice: site.slice, a, b });
      sum.update += productSquares(a, b, rank);
      sum.a += sumOfSquares(a);
      sum.b += sumOfSquares(b);
    }
    norms.update.push(scale * Math.sqrt(sum.update));
    norms.a.push(Math.sqrt(sum.a));
    norms.b.push(Math.sqrt(sum.b));
  }
  return norms;
}

/** ‖W₀ + scale·B·A‖_F by layer. Reads the weights in pieces. */
async function mergedNorms(engine: Engine, sites: readonly LoraSite[], rank: number, scale: number, host: ProbeHost): Promise<number[]> {
  const norms: number[] = [];
  for (const [layer, adapter] of engine.plan.buffers.adapters.entries()) {
    await host.check();
    const of = await readAdapters(engine, adapter);
    let sum = 0;
    for (const row of engine.plan.buffers.blocks.get(`layer.${layer}`)!.rows) {
      const site = sites.find(({ weight }) => weight === row.local);
      if (!site) continue;
      for (const [start, end] of piecesOf(elementsOf(row)))
        sum += sumOfSquares(mergeAdapter(await engine.readTensor(row, start, end), site, of(site.a), of(site.b), rank, scale, start));
    }
    norms.push(Math.sqrt(sum));
  }
  return norms;
}

/** ‖W_t‖_F of the matrices that LoRA adapts, by layer, after each step of full training. */
async function normsUnderFull(gpu: Gpu, inputs: RunInputs, host: ProbeHost): Promise<NonNullable<ProbeNorms['full']>> {
  const { engine, state } = await openRig(gpu, inputs, async (_, __, fraction) => {
    await host.check();
    host.progress({ phase: 'loading', done: fraction, of: 1 });
  });
  const locals = loraSites(inputs.files.shape).map(({ weight }) => weight);
  const layers = Array.from({ length: inputs.files.shape.layers }, (_, layer) => layer);
  try {
    const steps: { step: number; loss: number; norms: number[] }[] = [];
    while (state.completed < inputs.config.steps) {
      const loss = await soundStep(state, 'full', host);
      const norms: number[] = [];
      for (const layer of layers) {
        const { weights, layout } = engine.plan.buffers.blocks.get(`layer.${layer}`)!;
        const { buffer } = await engine.readSharded(weights);
        const sum = locals.reduce((total, local) => {
          const { offset, elements } = layout.places.get(local)!;
          return total + sumOfSquares(new Float32Array(buffer, offset, elements));
        }, 0);
        norms.push(Math.sqrt(sum));
      }
      steps.push({ step: state.completed, loss, norms });
    }
    return steps;
  } finally {
    engine.close();
  }
}
