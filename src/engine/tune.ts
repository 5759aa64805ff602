// Chooses kernel families for a device by timing them on pieces of the run: each wins on some graphics cards.
// The choice is part of the run (checkpoint, report); it changes no buffer's size, and the results only by rounding.

import type { KernelResult } from '../check/kernels';
import type { KernelGroup } from '../check/trial';
import type { Gpu } from '../gpu/device';
import { Lab, scratch } from '../gpu/lab';
import type { ModelShape } from '../model/types';
import { CARD_KERNELS, DEFAULT_KERNELS, KERNEL_CHOICES, type KernelChoice } from '../plan/input';
import type { Dispatch } from '../dispatch/types';
import { matmul, type MatmulFamily } from '../shaders/matmul/matmul';
import { wrongDevice, wrongOf } from './right-kernels';

/** Rows of the trial: enough to fill a graphics card, few enough to take milliseconds. */
const TRIAL_ROWS = 512;
const ROUNDS = 5;
/** Trials are repeated inside one submission, so that its cost is not what is measured. */
const REPEAT = 8;

const MATMUL_FAMILIES: readonly MatmulFamily[] = ['register', 'tiles'];

/** Families of matrix products that a device may be given. */
export const matmulFamilies = ({ description: { software } }: Gpu): readonly MatmulFamily[] => (software ? ['register'] : MATMUL_FAMILIES);

/** Families for a run, and what was found wrong on the way to them. */
export interface Chosen {
  readonly kernels: KernelChoice;
  readonly wrong: readonly KernelResult[];
}

/** The choice of a checkpoint; or what comes next to it where a later set of kernels has no such family, or this device gets it wrong. */
export function resumedKernels(
  { description: { software } }: Gpu,
  { matmul: family, attention }: KernelChoice,
  here: Chosen,
): KernelChoice {
  if (here.wrong.some(({ group }) => group === `matmul ${family}` || group === `attention ${attention}`)) return here.kernels;
  const same = KERNEL_CHOICES.find((choice) => choice.matmul === family && choice.attention === attention);
  if (same) return same;
  return software
    ? DEFAULT_KERNELS
    : (KERNEL_CHOICES.find((choice) => choice !== DEFAULT_KERNELS && choice.matmul === family) ?? CARD_KERNELS);
}

/**
 * Software adapters always get the kernels without barriers, which are slow there. Cards get those that compute rightly on them, the fastest of
 * matrix products, and never attention that spills registers unless the other is wrong. `wrongIn` says what is wrong in a family; tests say it
 * themselves. Throws GPU_WRONG where no family is right.
 */
export async function chooseKernels(gpu: Gpu, shape: ModelShape, rows: number, wrongIn = wrongOf): Promise<Chosen> {
  if (gpu.description.software) return { kernels: DEFAULT_KERNELS, wrong: [] };
  const wrong: KernelResult[] = [];
  const right = async (group: KernelGroup): Promise<boolean> => {
    const found = await wrongIn(gpu, group);
    if (found) wrong.push(found);
    return !found;
  };
  if (!(await right('attention tiles'))) {
    // The only choice with the other attention.
    if (!(await right('attention software')) || !(await right('matmul register'))) throw wrongDevice(wrong[wrong.length - 1]);
    return { kernels: DEFAULT_KERNELS, wrong };
  }
  const families: MatmulFamily[] = [];
  for (const family of MATMUL_FAMILIES) if (await right(`matmul ${family}`)) families.push(family);
  if (families.length === 0) throw wrongDevice(wrong[wrong.length - 1]);
  const n = Math.min(rows, TRIAL_ROWS);
  const matmul = families.length === 1 ? families[0] : await fastest(new Lab(gpu), n, (family) => matmulTrial(shape, n, family));
  return { kernels: { ...CARD_KERNELS, matmul }, wrong };
}

/** Forward, input gradient and weight gradient of one projection: what a step spends its time on. */
export function matmulTrial({ width, ff }: Pick<ModelShape, 'width' | 'ff'>, rows: number, family: MatmulFamily): Dispatch[] {
  const [x, up, w, back] = [scratch('x', rows * width), scratch('up', rows * ff), scratch('w', ff * width), scratch('back', rows * width)];
  const dw = scratch('dw', ff * width);
  return [
    matmul({ label: 'tune nt', layout: 'nt', y: up, a: x, b: w, m: rows, n: ff, k: width, family }),
    matmul({ label: 'tune nn', layout: 'nn', y: back, a: up, b: w, m: rows, n: width, k: ff, family }),
    matmul({ label: 'tune tn', layout: 'tn', y: dw, a: up, b: x, m: ff, n: width, k: rows, family }),
  ];
}

/** Alternates the families, so that a change of clock hits both; the lower minimum wins. */
async function fastest(lab: Lab, rows: number, trial: (family: MatmulFamily) => Dispatch[]): Promise<MatmulFamily> {
  const best = new Map(MATMUL_FAMILIES.map((family) => [family, Infinity]));
  const extents = { rows, targets: rows };
  for (const family of MATMUL_FAMILIES) await lab.time(trial(family), extents, 1);
  for (let round = 0; round < ROUNDS; round++)
    for (const family of MATMUL_FAMILIES) best.set(family, Math.min(best.get(family)!, await lab.time(trial(family), extents, REPEAT)));
  return MATMUL_FAMILIES.reduce((winner, family) => (best.get(family)! < best.get(winner)! ? family : winner));
}
