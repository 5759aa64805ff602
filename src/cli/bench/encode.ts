// What a step costs the processor before the GPU has anything to do: finding the step's segments and encoding its commands. Nothing is
// submitted, so the time is the host's alone, on software adapters too.

import type { Gpu } from '../../gpu/device';
import type { BenchModel } from './models';
import { digits, median } from './print';
import { Rig, type RigOptions } from './rig';

export interface EncodingCost {
  readonly model: string;
  readonly dispatches: number;
  /** Medians over the repetitions, in microseconds of the processor a dispatch. */
  readonly planUs: number;
  readonly encodeUs: number;
  readonly repetitions: number;
}

/** Repetitions before those that count: JavaScript is compiled meanwhile. */
const WARM_UP = 20;

/** Microseconds of processor time of this process, on all its threads: another program on the same cores adds nothing to them. */
const cpuUs = (): number => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

export async function measureEncoding(
  gpu: Gpu,
  model: BenchModel,
  { repetitions, ...options }: RigOptions & { readonly repetitions: number },
): Promise<EncodingCost> {
  const rig = await Rig.create(gpu, model, options);
  try {
    const { executor } = rig.engine;
    const { extents } = rig.batch;
    const dispatches = await executor.encode(rig.segments(), extents); // compiles
    const times: { plan: number; encode: number }[] = [];
    for (let i = 0; i < WARM_UP + repetitions; i++) {
      const start = cpuUs();
      const segments = rig.segments();
      const planned = cpuUs();
      await executor.encode(segments, extents);
      if (i >= WARM_UP) times.push({ plan: planned - start, encode: cpuUs() - planned });
    }
    const mid = (of: (time: { plan: number; encode: number }) => number): number => median(times.map(of)) / dispatches;
    return { model: model.id, dispatches, planUs: mid(({ plan }) => plan), encodeUs: mid(({ encode }) => encode), repetitions };
  } finally {
    rig.close();
  }
}

export const describeEncoding = ({ model, dispatches, planUs, encodeUs, repetitions }: EncodingCost): string =>
  `${model}, ${dispatches} dispatches: the processor takes ${digits(planUs)} µs a dispatch to find them and ${digits(encodeUs)} µs to encode them (median of ${repetitions} steps)`;
