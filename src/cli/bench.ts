// `npm run bench`: measures this engine on this machine. Arguments in, tables and JSON out; the measuring is in
// the files beside this one.

import { writeFile } from 'node:fs/promises';
import { AppError, errorInfo } from '../base/errors';
import { openGpu, type Gpu } from '../gpu/device';
import type { DeviceDescription } from '../dispatch/limits';
import { nodeGpu } from '../gpu/node';
import type { ModelShape } from '../model/types';
import { CARD_KERNELS, DEFAULT_KERNELS, type KernelChoice } from '../plan/input';
import { chooseKernels } from '../engine/tune';
import { compare, describeComparison, type Comparison } from './bench/compare';
import { describeEncoding, measureEncoding, type EncodingCost } from './bench/encode';
import { describeLoading, LOADING_CASES, LOADING_LIMIT, measureLoading, type LoadingProof } from './bench/loading';
import { benchModel, BUILTIN_FOLDER, type BenchModel } from './bench/models';
import { batchOf, HELP, parseBenchOptions, type BenchOptions } from './bench/options';
import { comparePeers, describePeers, installPeers, type PeerReport } from './bench/peers';
import { describeProfile, profileStep, type StepProfile } from './bench/profile';
import {
  describeResident,
  measureResident,
  proveResident,
  requireSoftware,
  RESIDENT_CASES,
  type ResidentProof,
  type ResidentTask,
} from './bench/resident';
import { compareStored, describeStored, type StoredReport } from './bench/stored';
import { Terminal } from './terminal';

/** Dawn rounds timestamps to 0.1 ms, as browsers do, unless it is told not to. Many kernels take less than that. */
const EXACT_TIMESTAMPS = 'disable-dawn-features=timestamp_quantization';

interface Report {
  readonly date: string;
  readonly device: DeviceDescription;
  readonly profiles: StepProfile[];
  readonly comparisons: Comparison[];
  readonly stored: StoredReport[];
  readonly resident: ResidentProof[];
  readonly loading: LoadingProof[];
  readonly encoding: EncodingCost[];
  readonly peers: PeerReport | null;
}

const terminal = new Terminal();

async function main(args: readonly string[]): Promise<void> {
  if (args[0] === '--resident-child') {
    terminal.stdout(JSON.stringify(await measureResident(JSON.parse(args[1]) as ResidentTask)));
    return;
  }
  const options = parseBenchOptions(args);
  if (options.help) {
    terminal.stdout(HELP);
    return;
  }
  const print = (text: string): void => void (options.json ? terminal.stderr : terminal.stdout)(`${text}\n`);
  const gpu = await openGpu(await nodeGpu([EXACT_TIMESTAMPS]), { timestamps: true });
  print(`device: ${gpu.description.description}${gpu.description.software ? ' (software: compare ratios, not times)' : ''}\n`);
  const report = await measure(gpu, options, print);
  gpu.close();
  const json = JSON.stringify(report, null, 2);
  if (options.out !== null) await save(options.out, `${json}\n`);
  if (options.json) terminal.stdout(`${json}\n`);
}

async function measure(gpu: Gpu, options: BenchOptions, print: (text: string) => void): Promise<Report> {
  const { sections, models } = options;
  const named = (own: readonly string[]): readonly string[] => (models.length > 0 ? models : own);
  const report: Report & { peers: PeerReport | null } = {
    date: new Date().toISOString(),
    device: gpu.description,
    profiles: [],
    comparisons: [],
    stored: [],
    resident: [],
    loading: [],
    encoding: [],
    peers: null,
  };
  const each = async (
    ids: readonly string[],
    visit: (model: BenchModel, common: Awaited<ReturnType<typeof settings>>) => Promise<void>,
  ): Promise<void> => {
    for (const id of ids) {
      const model = await benchModel(id);
      await visit(model, await settings(gpu, model, options));
    }
  };
  if (sections.has('resident')) requireSoftware(gpu);
  if (sections.has('profile')) {
    await each(named(['wordsmith-2m', 'gpt2-124m', 'smollm2-135m']), async (model, common) => {
      const clock = options.clock ?? undefined;
      const profile = await profileStep(gpu, model, {
        ...common,
        method: options.method,
        clock,
        repetitions: options.repetitions ?? repetitionsOf(gpu, model, 5),
      });
      report.profiles.push(profile);
      print(describeProfile(profile));
    });
  }
  if (sections.has('compare')) {
    await each(named(['wordsmith-2m']), async (model, common) => {
      const comparison = await compare(gpu, model, {
        ...common,
        repetitions: options.repetitions ?? repetitionsOf(gpu, model, 9),
      });
      report.comparisons.push(comparison);
      print(describeComparison(comparison));
    });
  }
  if (sections.has('stored')) {
    await each(named(['wordsmith-2m', 'smollm2-135m']), async (model, common) => {
      const stored = await compareStored(gpu, model, {
        ...common,
        repetitions: options.repetitions ?? Math.max(3, repetitionsOf(gpu, model, 9)),
      });
      report.stored.push(stored);
      print(describeStored(stored));
    });
  }
  if (sections.has('resident')) {
    const cases = RESIDENT_CASES.filter(({ model }) => models.length === 0 || models.includes(model));
    for (const one of cases) {
      const proofs = await proveResident(
        [{ model: one.model, batch: batchOf(options, one.batch) }],
        options.gamma,
        options.repetitions ?? 1,
      );
      report.resident.push(...proofs);
      print(proofs.map(describeResident).join('\n'));
    }
  }
  if (sections.has('loading')) {
    for (const one of LOADING_CASES) {
      const proof = await measureLoading(gpu, one, BUILTIN_FOLDER);
      report.loading.push(proof);
      print(describeLoading(proof, LOADING_LIMIT));
      const over = proof.peaks.find(({ bytes }) => bytes > LOADING_LIMIT);
      if (over) throw new AppError('INTERNAL', `${proof.model}: ${over.stage} took ${over.bytes} bytes of JavaScript memory.`, '');
    }
  }
  if (sections.has('encode')) {
    await each(named(['wordsmith-2m', 'gpt2-124m', 'smollm2-135m']), async (model, common) => {
      const cost = await measureEncoding(gpu, model, { ...common, method: options.method, repetitions: options.repetitions ?? 200 });
      report.encoding.push(cost);
      print(describeEncoding(cost));
    });
  }
  if (sections.has('peers')) {
    const missing = await installPeers();
    // If nothing else was asked for, there is no result; otherwise the rest stands.
    if (missing && sections.size === 1) throw missing;
    if (missing) {
      print(`No comparison with other WebGPU libraries. ${missing.message}`);
    } else {
      report.peers = await comparePeers(gpu, (shape, rows) => kernelsFor(gpu, shape, rows, options), options.repetitions ?? 5);
      print(describePeers(report.peers));
    }
  }
  return report;
}

async function settings(
  gpu: Gpu,
  model: BenchModel,
  options: BenchOptions,
): Promise<{ batch: ReturnType<typeof batchOf>; kernels: KernelChoice; gamma: number }> {
  const batch = batchOf(options, gpu.description.software ? model.batch.software : model.batch.hardware);
  if (batch.seqLen > model.shape.maxPositions) {
    throw new AppError(
      'CONFIG_INVALID',
      `--seq-len: ${batch.seqLen} tokens are more than the ${model.shape.maxPositions} positions of ${model.id}.`,
      'Give fewer.',
    );
  }
  const kernels = await kernelsFor(gpu, model.shape, batch.batchSize * batch.seqLen, options);
  return { batch, kernels, gamma: Math.min(options.gamma, model.shape.layers) };
}

/** A step of a large model takes minutes on a CPU. */
const repetitionsOf = (gpu: Gpu, model: BenchModel, small: number): number =>
  model.shape.layers * model.shape.width ** 2 < 1e6 ? small : gpu.description.software ? 1 : 3;

const kernelsFor = async (gpu: Gpu, shape: ModelShape, rows: number, { kernels }: BenchOptions): Promise<KernelChoice> =>
  kernels === 'auto' ? (await chooseKernels(gpu, shape, rows)).kernels : kernels === 'card' ? CARD_KERNELS : DEFAULT_KERNELS;

async function save(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text);
  } catch (cause) {
    throw new AppError(
      'STORAGE',
      `--out: ${path} cannot be written (${(cause as Error).message}).`,
      'Give a file in a directory that exists.',
      { cause },
    );
  }
}

main(process.argv.slice(2)).then(
  () => terminal.exit(0),
  (error: unknown) => {
    const { code, detail, remedy } = errorInfo(error);
    terminal.stderr(`bench: ${`${detail} ${remedy}`.replace(/\s+/g, ' ').trim()}\n`);
    if (code === 'INTERNAL' && error instanceof Error && process.env.DEBUG) terminal.stderr(`${error.stack}\n`);
    process.exit(code === 'CONFIG_INVALID' || code === 'STORAGE' ? 2 : 1);
  },
);
