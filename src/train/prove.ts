// Shows on the device at hand that LISA does what it promises, for the model, data and settings of a run: a short run that is watched from
// outside, and a second one that must equal full training bit for bit. Each line has its figures.

import { AppError } from '../base/errors';
import { policiesOf } from '../config/policies';
import { DEFAULTS, type RunConfig } from '../config/run-config';
import type { Gpu } from '../gpu/device';
import { piecesOf } from '../io/formats/pieces';
import type { ModelFiles } from '../io/sources/model-files';
import { periodOf } from '../lisa/schedule';
import { parameterCount } from '../model/parameters';
import { elementsOf, type ParameterRow } from '../model/types';
import { withTotal } from '../dispatch/memory';
import { trainableParameters } from '../plan/forecast';
import type { Engine } from '../engine/engine';
import type { RunEvent } from './events';
import type { RunInputs } from './prepare';
import { openRig } from './rig';
import { Session, type SessionHost } from './session';
import { takeStep } from './step';

export interface ProofLine {
  readonly claim: string;
  readonly holds: boolean;
  /** What was counted, measured or compared. */
  readonly figures: string;
}

export interface ProveHost {
  /** Called between steps; throws where the proof is not wanted any more. */
  check(): Promise<void>;
  /** What is being done, and which part of it is done: 0 to 1. */
  progress(what: string, fraction: number): void;
}

/** Steps of a period of the short run, at most. */
const MOST_PERIOD_STEPS = 3;
const PERIODS = 2;
/** Steps after which LISA with γ = L must equal full training: the second one uses m and v of the first. */
const EQUAL_STEPS = 2;

/** Throws CONFIG_INVALID if the run is not one of LISA. */
export async function proveRun(gpu: Gpu, inputs: RunInputs, host: ProveHost): Promise<ProofLine[]> {
  if (inputs.config.method !== 'lisa')
    throw new AppError('CONFIG_INVALID', 'What is proved here is what LISA promises.', 'Choose the method LISA.');
  return [...(await watchedRun(gpu, inputs, host)), await equalsFull(gpu, inputs, host)];
}

const count = (value: number): string => value.toLocaleString('en');
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(2)} MB`;

async function digestOf(engine: Engine, row: ParameterRow): Promise<string> {
  const parts: string[] = [];
  for (const [start, end] of piecesOf(elementsOf(row))) {
    const data = await engine.readTensor(row, start, end);
    parts.push(new Uint32Array(await crypto.subtle.digest('SHA-256', data)).join());
  }
  return parts.join(' ');
}

/** Digests of the tensors that a period trains, at its beginning. */
class ActiveTensors {
  readonly unchanged: string[] = [];
  compared = 0;
  #before = new Map<ParameterRow, string>();

  async begin(engine: Engine, rows: readonly ParameterRow[]): Promise<void> {
    this.#before = new Map();
    for (const row of rows) this.#before.set(row, await digestOf(engine, row));
  }

  async end(engine: Engine): Promise<void> {
    for (const [row, before] of this.#before) {
      this.compared++;
      if ((await digestOf(engine, row)) === before) this.unchanged.push(row.name);
    }
    this.#before = new Map();
  }
}

/** A run of the same settings with short periods, without evaluations, samples and checkpoints. */
async function watchedRun(gpu: Gpu, inputs: RunInputs, host: ProveHost): Promise<ProofLine[]> {
  const stepsPerPeriod = Math.min(inputs.config.stepsPerPeriod, MOST_PERIOD_STEPS);
  const steps = PERIODS * stepsPerPeriod;
  const short = { steps, stepsPerPeriod, warmup: Math.min(inputs.config.warmup, 1), evalEvery: 0, saveEvery: 0, sampleAt: 'ends' as const };
  const config: RunConfig = { ...inputs.config, ...short };
  const { table, shape } = inputs.files;
  const active = new ActiveTensors();
  const events: RunEvent[] = [];
  const counts: { readonly trained: number; readonly arithmetic: number }[] = [];
  const rowsOf = (blocks: readonly string[]): ParameterRow[] => table.filter(({ block }) => blocks.includes(block));
  const policies = policiesOf(config, shape.tied);
  const session: Session = await Session.create(gpu, { ...inputs, config, dataset: { ...inputs.dataset, evaluation: [] }, prompts: [] }, {
    emit: (event) => events.push(event),
    checkpoints: null,
    proof: 'every period',
    discarded: () => false,
    gate: async () => {
      await host.check();
      const { completed, turns } = session.state;
      host.progress('A short run', completed / steps);
      if (completed % stepsPerPeriod !== 0) return 'go';
      await active.end(session.engine);
      const period = periodOf(completed + 1, stepsPerPeriod);
      const layers = turns.layersOf(period).map((layer) => `layer.${layer}`);
      const drawn = turns.blocksOf(period);
      const always = (['embedding', 'norm', ...(shape.tied ? [] : ['head'])] as ('embedding' | 'norm' | 'head')[]).filter(
        (name) => policies[name] === 'on' || policies[name] === 'rows' || drawn.includes(name),
      );
      await active.begin(session.engine, rowsOf([...layers, ...always]));
      counts.push({
        trained: trainableParameters(session.engine.plan, new Map(turns.layersOf(period).map((layer, slot) => [layer, slot])), drawn),
        arithmetic: arithmetic(inputs, layers, always),
      });
      return 'go';
    },
  } satisfies SessionHost);
  try {
    await session.run();
    await active.end(session.engine);
    return linesOf(session, events, counts, active);
  } finally {
    session.close();
  }
}

/** Parameters of these blocks by the shapes of their tensors; by rows, those of the data's tokens, and the positions that rows reach. */
function arithmetic({ config, files: { shape, table }, dataset }: RunInputs, layers: readonly string[], always: readonly string[]): number {
  const policies = policiesOf(config, shape.tied);
  const byRows = (name: 'embedding' | 'head'): boolean => policies[name] === 'rows' && dataset.tokens.length < shape.vocab;
  const whole = table.filter(({ block }) => layers.includes(block) || always.includes(block));
  return whole.reduce((sum, row) => {
    const width = row.shape[1];
    if ((row.role === 'embedding' || row.role === 'head') && byRows(row.role)) return sum + dataset.tokens.length * width;
    // Whole groups of four elements end with a row.
    const reached = width % 4 === 0 ? config.seqLen : 4 * Math.ceil(config.seqLen / 4);
    if (row.role === 'position' && byRows('embedding')) return sum + Math.min(row.shape[0], reached) * width;
    return sum + elementsOf(row);
  }, 0);
}

function linesOf(
  session: Session,
  events: readonly RunEvent[],
  counts: readonly { readonly trained: number; readonly arithmetic: number }[],
  active: ActiveTensors,
): ProofLine[] {
  const { config, files } = session.inputs;
  const of = <T extends RunEvent['type']>(type: T) =>
    events.filter((event): event is Extract<RunEvent, { type: T }> => event.type === type);
  const verified = of('verified');
  const changed = verified.flatMap((event) => event.changed);
  const optimizer = of('step').map(({ metrics }) => metrics.memory.optimizer);
  const [least, most] = [Math.min(...optimizer), Math.max(...optimizer)];
  const forecast = withTotal(session.forecasts.lisa.bytes);
  const peak = withTotal(session.engine.allocator.reading().peak);
  const all = parameterCount(files.table);
  return [
    {
      claim: 'As many parameters train as arithmetic says',
      holds: counts.every(({ trained, arithmetic }) => trained === arithmetic),
      figures: `${counts.map(({ trained, arithmetic }) => `${count(trained)} in the plan, ${count(arithmetic)} by the shapes`).join('; ')}; of ${count(all)} (γ = ${config.lisaLayers})`,
    },
    {
      claim: 'Frozen weights stay as they are, bit for bit',
      holds: verified.length > 0 && changed.length === 0,
      figures: `SHA-256 of every tensor of ${verified.map(({ frozen }) => frozen.length).join(' and ')} frozen blocks, after ${verified.length} periods; ${changed.length === 0 ? 'none differs' : `changed: ${changed.join(', ')}`}`,
    },
    {
      claim: 'Every tensor that trains changes',
      holds: active.compared > 0 && active.unchanged.length === 0,
      figures: `${active.compared} tensors compared; ${active.unchanged.length === 0 ? 'all differ' : `unchanged: ${active.unchanged.join(', ')}`}`,
    },
    {
      claim: 'Optimizer memory is flat',
      holds: least === most,
      figures: `${count(least)} bytes at the least and ${count(most)} at the most in ${optimizer.length} steps over ${verified.length} periods`,
    },
    {
      claim: 'Memory is what was forecast',
      holds: forecast.total === peak.total,
      figures: `forecast ${count(forecast.total)} bytes, allocated ${count(peak.total)} (${megabytes(peak.total)})`,
    },
  ];
}

/** γ = L with everything on against full training: the same losses and the same bits of every tensor. */
async function equalsFull(gpu: Gpu, inputs: RunInputs, host: ProveHost): Promise<ProofLine> {
  const all = inputs.files.shape.layers;
  for (let layers = all; ; layers = Math.ceil(layers / 2)) {
    const cut = layers === all ? inputs : { ...inputs, files: fewerLayers(inputs.files, layers) };
    try {
      const full = await weightsAfter(gpu, cut, 'full', host);
      const lisa = await weightsAfter(gpu, cut, 'lisa', host);
      const different = [...full.digests].filter(([name, digest]) => lisa.digests.get(name) !== digest).map(([name]) => name);
      const losses = full.losses.every((loss, step) => loss === lisa.losses[step]);
      const size =
        layers === all ? `all ${all} layers` : `the lowest ${layers} of ${all} layers, since full training of more does not fit the GPU`;
      return {
        claim: 'With γ = L it is full training, bit for bit',
        holds: different.length === 0 && losses,
        figures: `${full.digests.size} tensors and ${EQUAL_STEPS} losses after ${EQUAL_STEPS} steps of ${size}, in f32, clipped alike; ${different.length === 0 ? 'none differs' : `different: ${different.join(', ')}`}`,
      };
    } catch (thrown) {
      if (!(thrown instanceof AppError) || thrown.code !== 'GPU_OOM' || layers === 1) throw thrown;
    }
  }
}

async function weightsAfter(
  gpu: Gpu,
  inputs: RunInputs,
  method: 'full' | 'lisa',
  host: ProveHost,
): Promise<{ readonly digests: Map<string, string>; readonly losses: number[] }> {
  const { lisaSampler, lisaWeights, lisaProfile, lisaAdapt, lisaCorrectRate, lisaRewarm, alwaysOn, weightStorage } = DEFAULTS;
  const plain = { lisaSampler, lisaWeights, lisaProfile, lisaAdapt, lisaCorrectRate, lisaRewarm, alwaysOn, weightStorage };
  const own = { lisaEmbedding: null, lisaHead: null, lisaNorm: null, lisaState: 'drop' as const };
  const { shape } = inputs.files;
  const config: RunConfig = { ...inputs.config, ...plain, ...own, method, steps: EQUAL_STEPS, warmup: 0, lisaLayers: shape.layers };
  const { engine, state } = await openRig(gpu, { ...inputs, config }, () => host.check());
  try {
    const losses: number[] = [];
    while (state.completed < EQUAL_STEPS) {
      await host.check();
      host.progress(method === 'full' ? 'Full training' : 'LISA with γ = L', state.completed / EQUAL_STEPS);
      losses.push((await (await takeStep(state)).stats).loss);
    }
    const digests = new Map<string, string>();
    for (const row of inputs.files.table) digests.set(row.name, await digestOf(engine, row));
    return { digests, losses };
  } finally {
    engine.close();
  }
}

/** The same model without its highest layers. */
function fewerLayers(files: ModelFiles, layers: number): ModelFiles {
  const isThere = ({ layer }: ParameterRow): boolean => layer === null || layer < layers;
  return {
    ...files,
    shape: { ...files.shape, layers },
    table: files.table.filter(isThere),
    async *pieces() {
      for await (const piece of files.pieces()) if (isThere(piece.row)) yield piece;
    },
  };
}
