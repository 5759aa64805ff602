// What the programs of this folder know of the project's plans: every kernel that runs of public models may ask for, and the dispatches of
// one optimizer step. Nothing here needs a GPU.

import { DEFAULTS, type RunConfig } from '../../src/config/run-config';
import { amount, gridSize, type Extents } from '../../src/dispatch/extents';
import type { Dispatch, Kernel } from '../../src/dispatch/types';
import { workgroupThreads } from '../../src/dispatch/validate';
import { parseModelConfig } from '../../src/model/config';
import { PUBLIC_CONFIGS } from '../../src/model/public-configs';
import type { CheckpointTypes } from '../../src/model/types';
import { firstAssignment } from '../../src/plan/forecast';
import { CARD_KERNELS, DEFAULT_KERNELS, LEAST_DISPATCH_FLOPS, planInput, type KernelChoice } from '../../src/plan/input';
import { RunPlan, type Assignment } from '../../src/plan/run-plan';
import { microSegments } from '../../src/plan/step-plan';

type ModelName = keyof typeof PUBLIC_CONFIGS;
type Method = RunConfig['method'];
export type Family = 'card' | 'register' | 'software';

/** Kernels of graphics cards, first those that they start with; and those of software adapters. */
export const FAMILIES: readonly Family[] = ['card', 'register', 'software'];

const KERNELS: Readonly<Record<Family, KernelChoice>> = {
  card: CARD_KERNELS,
  register: { matmul: 'register', attention: 'tiles' },
  software: DEFAULT_KERNELS,
};
/** Dispatches of a card that does 2 TFLOP/s: 20 ms. */
const CARD_DISPATCH_FLOPS = 4e10;
/** Shapes whose kernels and dispatches are looked at. @public dispatches.mjs imports it at run time. */
export const MODELS = ['gpt2-124m', 'smollm2-135m', 'qwen2.5-0.5b'] as const satisfies readonly ModelName[];

const SEQUENCE = 512;

interface Wanted {
  readonly method: Method;
  readonly family: Family;
  readonly batchSize?: number;
  readonly types?: CheckpointTypes;
}

function planOf(model: ModelName, { method, family, batchSize = 1, types = 'f32' }: Wanted): { plan: RunPlan; assignment: Assignment } {
  const shape = parseModelConfig(PUBLIC_CONFIGS[model], model);
  const config: RunConfig = { ...DEFAULTS, method, seqLen: SEQUENCE, batchSize, weightStorage: types === 'f32' ? 'f32' : 'stored' };
  const input = planInput(shape, config, {
    kernels: KERNELS[family],
    types,
    dispatchFlops: family === 'software' ? LEAST_DISPATCH_FLOPS : CARD_DISPATCH_FLOPS,
  });
  return { plan: new RunPlan(input), assignment: firstAssignment(input, config) };
}

/** Methods and storages of weights whose kernels are looked at: all, or the few that have most of them. */
const RUNS = {
  all: (['lisa', 'full', 'lora'] as const).flatMap((method) => (['f32', 'bf16', 'f16'] as const).map((types) => ({ method, types }))),
  few: [
    { method: 'lisa', types: 'bf16' },
    { method: 'lora', types: 'f16' },
    { method: 'full', types: 'f32' },
  ],
} as const satisfies Readonly<Record<string, readonly Pick<Wanted, 'method' | 'types'>[]>>;

/** Every kernel that training, evaluation and generation of these models may run, each once. */
export function kernels(families: readonly Family[], runs: keyof typeof RUNS = 'all'): { key: string; wgsl: string }[] {
  const found = new Map<string, Kernel>();
  for (const model of MODELS)
    for (const family of families)
      for (const run of RUNS[runs]) {
        const { plan, assignment } = planOf(model, { ...run, family });
        plan.step(assignment);
        plan.evaluation(plan.capacity, assignment);
        plan.generation();
        for (const { dispatches } of plan.builtSegments()) for (const { kernel } of dispatches) found.set(kernel.key, kernel);
      }
  return [...found.values()].map(({ key, wgsl }) => ({ key, wgsl }));
}

export interface CountedDispatch {
  readonly kernel: string;
  readonly name: string;
  readonly label: string;
  readonly threads: number;
  readonly flops: number;
  readonly bytes: number;
}

/**
 * The dispatches of one optimizer step of one micro-batch of batchSize rows of 512 tokens, with live amounts.
 * @public dispatches.mjs imports it at run time.
 */
export function step(model: ModelName, wanted: Wanted): { layers: number[]; dispatches: CountedDispatch[]; memory: number } {
  const { plan, assignment } = planOf(model, wanted);
  const rows = plan.input.rows;
  // Of an ordinary text, somewhat under half of the tokens of a batch differ.
  const extents: Extents = { ...plan.capacity, rows, targets: rows, tokenGroups: Math.min(rows, Math.round(rows * 0.45)) };
  const made = plan.step(assignment);
  const dispatches = [...microSegments(made, extents), ...made.norm, ...made.update]
    .flatMap((segment) => segment.dispatches)
    .map((dispatch) => counted(dispatch, extents))
    .filter(({ threads }) => threads > 0);
  return { layers: [...assignment.keys()], dispatches, memory: plan.allBuffers.reduce((sum, { bytes }) => sum + bytes, 0) };
}

const counted = ({ kernel, label, grid, work }: Dispatch, extents: Extents): CountedDispatch => ({
  kernel: kernel.key,
  name: kernel.name,
  label,
  threads: grid.reduce<number>((all, dim) => all * gridSize(dim, extents), workgroupThreads(kernel.wgsl)),
  flops: amount(work.flops, extents),
  bytes: amount(work.bytes, extents),
});
