// What a device proves about itself: every kernel against its reference, a short training run, the speed of each family.

import { AppError } from '../base/errors';
import { ALL_CASES, checkKernels } from '../check/kernels';
import { timeKernels } from '../check/speed';
import type { KernelGroup } from '../check/trial';
import type { Gpu } from '../gpu/device';
import { DEFAULT_KERNELS, KERNEL_CHOICES, KERNEL_SET, type KernelChoice } from '../plan/input';
import { CHECK_STEP_BOUND, checkStep } from './check-step';
import type { DeviceReport, StepResult } from './device-report';

export interface CheckHost {
  /** 0 to 1, and what is being done. */
  told(fraction: number, what: string): void;
  /** Throws to end the check. */
  check(): void;
}

/** Choices that a device of this kind is given, before any is found wrong. */
const choicesFor = ({ description: { software } }: Gpu): readonly KernelChoice[] =>
  software ? [DEFAULT_KERNELS] : KERNEL_CHOICES.filter((choice) => choice !== DEFAULT_KERNELS);

/** A software adapter compiles tiles for minutes, and no run of it uses them. */
const caseFits = (gpu: Gpu, group: KernelGroup): boolean => !gpu.description.software || !group.endsWith('tiles');

/** Checks a device: seconds on a card, a minute or two on a software adapter. Throws DEVICE_LOST and GPU_OOM. */
export async function checkDevice(gpu: Gpu, runtime: string, host: CheckHost): Promise<DeviceReport> {
  const cases = ALL_CASES.filter(({ group }) => caseFits(gpu, group));
  const kernels = await checkKernels(gpu, cases, ({ name }, done) => {
    host.told((0.7 * done) / cases.length, name);
    host.check();
  });
  const wrong = new Set(kernels.filter(({ right }) => !right).map(({ group }) => group));
  const isUsable = ({ matmul, attention }: KernelChoice): boolean =>
    !wrong.has('all') && !wrong.has(`matmul ${matmul}`) && !wrong.has(`attention ${attention}`);
  const choices = choicesFor(gpu).filter(isUsable);
  const candidates = choices.length > 0 ? choices : KERNEL_CHOICES.filter(isUsable);
  const steps: StepResult[] = [];
  for (const [at, choice] of candidates.entries()) {
    host.told(0.7 + (0.1 * at) / candidates.length, 'three training steps');
    host.check();
    steps.push(await step(gpu, choice));
  }
  const speed = await timeKernels(gpu, wrong, (done, of) => {
    host.told(0.8 + (0.2 * done) / of, 'speed');
    host.check();
  });
  return {
    report: 'LISA Studio device check',
    version: 1,
    kernelSet: KERNEL_SET,
    date: `${new Date().toISOString().slice(0, 16)}Z`,
    device: gpu.description,
    limits: gpu.limits,
    features: [...gpu.offered].sort(),
    runtime,
    kernels,
    steps,
    speed,
    leftOut: [...wrong],
    usable: steps.filter(({ right }) => right).map((each) => each.kernels),
  };
}

async function step(gpu: Gpu, kernels: KernelChoice): Promise<StepResult> {
  try {
    const made = await checkStep(gpu, kernels);
    const right = made.error !== null && made.error < CHECK_STEP_BOUND && made.planned === made.allocated;
    return { ...made, kernels, right };
  } catch (thrown) {
    if (!(thrown instanceof AppError) || !['SHADER_COMPILE', 'GPU_VALIDATION'].includes(thrown.code)) throw thrown;
    return { losses: [], error: null, ms: 0, planned: 0, allocated: 0, kernels, right: false };
  }
}
