// The outcome of a check of a device: plain data, without anything about the person. It is what figures from a real card come as.

import type { KernelResult } from '../check/kernels';
import type { Timing } from '../check/speed';
import type { KernelGroup } from '../check/trial';
import type { DeviceDescription, DeviceLimits } from '../dispatch/limits';
import type { KernelChoice } from '../plan/input';
import type { CheckStep } from './check-step';

export interface StepResult extends CheckStep {
  readonly kernels: KernelChoice;
  /** Losses as they should be and memory as planned. */
  readonly right: boolean;
}

export interface DeviceReport {
  readonly report: 'LISA Studio device check';
  readonly version: 1;
  readonly kernelSet: number;
  /** ISO 8601, to the minute. */
  readonly date: string;
  readonly device: DeviceDescription;
  readonly limits: DeviceLimits;
  /** Features that the adapter offers, by name. */
  readonly features: readonly string[];
  /** The browser or runtime, as it names itself. */
  readonly runtime: string;
  /** max|error| / max|reference| of each kernel, and whether that is rounding. */
  readonly kernels: readonly KernelResult[];
  readonly steps: readonly StepResult[];
  readonly speed: readonly Timing[];
  /** Families that are not used on this device, since they compute wrongly or refuse. */
  readonly leftOut: readonly KernelGroup[];
  /** The kernels that runs on it may choose from; none if it cannot be trained on. */
  readonly usable: readonly KernelChoice[];
}

/** What the report says, in a sentence or two. */
export function verdict({ kernels, leftOut, usable, steps, device }: DeviceReport): string {
  const right = kernels.filter((each) => each.right).length;
  const counted = `${right} of ${kernels.length} kernels compute what they should`;
  if (usable.length === 0)
    return `This device cannot be trained on: ${counted}${steps.length > 0 ? ', and its training steps go wrong' : ''}.`;
  const rest = leftOut.length > 0 ? ` Runs do without those that do not: ${leftOut.join(', ')}.` : '';
  return `${device.software ? 'This software renderer' : 'This graphics device'} trains rightly: ${counted}, and three training steps have the losses that they should.${rest}`;
}
