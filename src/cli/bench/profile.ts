// Where the time of a training step goes: dispatches grouped by kernel, purpose and shape.

import type { Gpu } from '../../gpu/device';
import { Profiler, type Clock, type DispatchTime } from '../../gpu/profiler';
import type { Dispatch } from '../../dispatch/types';
import type { Extents } from '../../dispatch/extents';
import type { BenchModel } from './models';
import { digits, median, percent, table } from './print';
import { Rig, type RigOptions } from './rig';

/** All dispatches of a step that have kernel, purpose and shape in common. ms, flops and bytes are their sums. */
interface KernelRow {
  readonly kernel: string;
  /** 'qkv dW' */
  readonly purpose: string;
  readonly shape: string;
  readonly count: number;
  readonly flops: number;
  readonly bytes: number;
  /** Median over the repetitions of the step. */
  readonly ms: number;
  readonly gflops: number;
  readonly gbytes: number;
}

export interface StepProfile {
  readonly model: string;
  readonly method: string;
  readonly layers: readonly number[];
  readonly tokens: number;
  readonly clock: Clock;
  readonly repetitions: number;
  /** Steps as they run in training, ms of the host's clock. */
  readonly wallMs: readonly number[];
  readonly wallMedianMs: number;
  readonly tokensPerSecond: number;
  /** Sum of the rows. */
  readonly kernelMs: number;
  readonly flops: number;
  readonly bytes: number;
  readonly rows: readonly KernelRow[];
}

/** Profiles `repetitions` steps, each beside one that runs as in training. */
export async function profileStep(
  gpu: Gpu,
  model: BenchModel,
  options: RigOptions & { readonly repetitions: number; readonly clock?: Clock },
): Promise<StepProfile> {
  const rig = await Rig.create(gpu, model, options);
  try {
    await rig.step(); // compiles
    const profiler = await Profiler.create(rig.engine.executor, options.clock);
    const wallMs: number[] = [];
    const runs: DispatchTime[][] = [];
    for (let i = 0; i < options.repetitions; i++) {
      wallMs.push((await rig.step()).ms);
      runs.push(await profiler.run(rig.segments(), rig.batch.extents));
    }
    profiler.close();
    const rows = groupRows(runs, rig.batch.extents);
    const sum = (of: (row: KernelRow) => number): number => rows.reduce((total, row) => total + of(row), 0);
    const wallMedianMs = median(wallMs);
    return {
      model: model.id,
      method: options.method,
      layers: rig.layers,
      tokens: rig.batch.rows,
      clock: profiler.clock,
      repetitions: options.repetitions,
      wallMs,
      wallMedianMs,
      tokensPerSecond: (1000 * rig.batch.rows) / wallMedianMs,
      kernelMs: sum((row) => row.ms),
      flops: sum((row) => row.flops),
      bytes: sum((row) => row.bytes),
      rows,
    };
  } finally {
    rig.close();
  }
}

/** What the dispatch is for, without the layer's number: 'qkv dW'. */
export const purposeOf = (dispatch: Dispatch): string => dispatch.label.replace(/^layer\.\d+\//, '').replace(/\b(layer|slot)\.\d+/g, '$1');

/** Live sizes of a matrix product: rows × columns × terms; of other kernels their widths and rows. */
export function shapeOf({ kernel, params, work }: Dispatch, extents: Extents): string {
  const view = new DataView(params.buffer, params.byteOffset, params.byteLength);
  const value = (name: string): number | undefined => {
    const at = kernel.params.findIndex((p) => p.name === name);
    return at < 0 ? undefined : view.getUint32(at * 4, true);
  };
  const live = [undefined, extents.rows, extents.targets][value('extent') ?? 0] ?? Infinity;
  const row0 = value('row0') ?? 0;
  const limited = (size: number): number => Math.min(size, Math.max(0, live - row0));
  if (kernel.name.startsWith('matmul')) {
    const tn = kernel.name.startsWith('matmul_tn');
    const [m, n, k] = ['m', 'n', 'k'].map((name) => value(name)!);
    return `${tn ? m : limited(m)}×${n}×${tn ? limited(k) : k}`;
  }
  const elements = work.bytes.one ? Math.round(work.bytes.one / 4) : 0;
  const names = ['width', 'steps', 'vocab', 'heads', 'kv_heads', 'elements'].filter((name) => value(name) !== undefined);
  const sizes = names.map((name) => `${name} ${value(name)}`);
  return (
    [value('rows') === undefined ? '' : `${limited(value('rows')!)} rows`, ...sizes].filter((text) => text !== '').join(', ') ||
    `${elements} words`
  );
}

function groupRows(runs: readonly (readonly DispatchTime[])[], extents: Extents): KernelRow[] {
  const groups = new Map<string, number[]>();
  runs[0].forEach(({ dispatch }, at) => {
    const key = [dispatch.kernel.key, purposeOf(dispatch), shapeOf(dispatch, extents)].join('|');
    groups.set(key, [...(groups.get(key) ?? []), at]);
  });
  const rows = [...groups.values()].map((members): KernelRow => {
    const { dispatch } = runs[0][members[0]];
    const sum = (of: (time: DispatchTime) => number, run = runs[0]): number => members.reduce((total, at) => total + of(run[at]), 0);
    const ms = median(runs.map((run) => sum((time) => time.ms, run)));
    const flops = sum((time) => time.flops);
    const bytes = sum((time) => time.bytes);
    return {
      kernel: dispatch.kernel.name,
      purpose: purposeOf(dispatch),
      shape: shapeOf(dispatch, extents),
      count: members.length,
      flops,
      bytes,
      ms,
      gflops: flops / ms / 1e6,
      gbytes: bytes / ms / 1e6,
    };
  });
  return rows.sort((a, b) => b.ms - a.ms);
}

export function describeProfile(profile: StepProfile): string {
  const { rows, kernelMs } = profile;
  const cells = ({ count, flops, bytes, ms, gflops, gbytes }: Omit<KernelRow, 'kernel' | 'purpose' | 'shape'>): string[] => [
    String(count),
    digits(flops / 1e6),
    digits(bytes / 1e6),
    digits(ms),
    percent(ms / kernelMs),
    digits(gflops),
    digits(gbytes),
  ];
  const measures = ['count', 'MFLOP', 'MB', 'ms', 'share', 'GFLOP/s', 'GB/s'];
  const names = [...new Set(rows.map((row) => row.kernel))];
  const byKernel = names
    .map((kernel) => {
      const of = rows.filter((row) => row.kernel === kernel);
      const [count, flops, bytes, ms] = (['count', 'flops', 'bytes', 'ms'] as const).map((key) =>
        of.reduce((total, row) => total + row[key], 0),
      );
      return { kernel, count, flops, bytes, ms, gflops: flops / ms / 1e6, gbytes: bytes / ms / 1e6 };
    })
    .sort((a, b) => b.ms - a.ms);
  const layers = profile.method === 'lisa' ? `, layers ${profile.layers.join(' and ')} in training` : '';
  return [
    `${profile.model}, ${profile.method}${layers}: one step of ${profile.tokens} tokens, ${profile.repetitions} repetitions, clock: ${profile.clock}`,
    `step as in training ${digits(profile.wallMedianMs)} ms (${digits(Math.min(...profile.wallMs))} to ${digits(Math.max(...profile.wallMs))}), ${digits(profile.flops / profile.wallMedianMs / 1e6)} GFLOP/s, ${digits(profile.tokensPerSecond)} tokens/s; sum of the kernels ${digits(kernelMs)} ms`,
    '',
    table(
      ['kernel', ...measures],
      byKernel.map((row) => [row.kernel, ...cells(row)]),
    ),
    '',
    table(
      ['kernel', 'purpose', 'rows×columns×terms', ...measures],
      rows.map((row) => [row.kernel, row.purpose, row.shape, ...cells(row)]),
    ),
    '',
  ].join('\n');
}
