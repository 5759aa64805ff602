// Which families of kernels compute rightly on this device. A card proves it before its first run, in some milliseconds; those that are
// wrong there are never used.

import { AppError } from '../base/errors';
import { checkKernels, familyCases, type KernelResult } from '../check/kernels';
import type { KernelGroup } from '../check/trial';
import type { Gpu } from '../gpu/device';

const proven = new WeakMap<GPUDevice, Map<KernelGroup, Promise<KernelResult | null>>>();

/** The first case of a family that this device gets wrong; null if all are right. Runs them once per device. */
export function wrongOf(gpu: Gpu, group: KernelGroup): Promise<KernelResult | null> {
  const known = proven.get(gpu.device) ?? new Map<KernelGroup, Promise<KernelResult | null>>();
  proven.set(gpu.device, known);
  let found = known.get(group);
  if (!found) {
    found = checkKernels(gpu, familyCases(group)).then((results) => results.find(({ right }) => !right) ?? null);
    known.set(group, found);
    // A device that was lost meanwhile has proved nothing.
    found.catch(() => known.delete(group));
  }
  return found;
}

/** What is wrong, in a few words. */
const wrongText = ({ name, error, bound, refused }: KernelResult): string =>
  refused !== undefined
    ? `${name}, ${refused.split('\n')[0]}`
    : `${name} ${error === null ? 'gives numbers that are not finite' : `is off by ${error.toExponential(1)} where ${bound.toExponential(1)} is rounding`}`;

/** That families were left out, and why. */
export const leftOutText = (wrong: readonly KernelResult[]): string =>
  `this graphics device computes some kernels wrongly, which are not used: ${wrong.map((each) => `${each.group} (${wrongText(each)})`).join('; ')}`;

/** For a device that gets what it needs wrong. */
export const wrongDevice = (result: KernelResult): AppError =>
  new AppError(
    'GPU_WRONG',
    `This graphics device computes wrongly: ${wrongText(result)}.`,
    'Update the graphics driver and restart the browser, or use another device. "Check this device" tells what else is wrong; please report what it says.',
  );
