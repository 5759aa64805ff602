// @ts-check
// npm run dispatches: what one optimizer step asks of a GPU. Dispatches, FLOPs, bytes, the least time by the roofline, and how many
// threads the dispatches have that do the work. From the project's plans alone: nothing runs. See README.md.

import { writeFileSync } from 'node:fs';
import process from 'node:process';
import { fail, loadPlans, readOptions, table } from './common.mjs';

const USAGE = `npm run dispatches -- [options]
  --family NAME      kernel family (default: the one that graphics cards start with)
  --tflops N         peak of the GPU, 10^12 f32 operations a second (default: 10)
  --gbps N           its memory, 10^9 bytes a second (default: 200)
  --detail REGEX     also by kernel, for the models whose name matches
  --json FILE        write all figures there`;

const { MODELS, FAMILIES, step } = await loadPlans();
/** @typedef {import('./plans').CountedDispatch} CountedDispatch */
const options = readOptions(USAGE, {
  family: { type: 'string', default: FAMILIES[0] },
  tflops: { type: 'string', default: '10' },
  gbps: { type: 'string', default: '200' },
  detail: { type: 'string' },
  json: { type: 'string' },
});
const peak = Number(options.tflops) * 1e12;
const bandwidth = Number(options.gbps) * 1e9;
if (!(peak > 0 && bandwidth > 0)) fail('--tflops and --gbps are positive numbers.');
const family = FAMILIES.find((name) => name === options.family) ?? fail(`--family is one of ${FAMILIES.join(', ')}.`);

/** Threads of a dispatch, from one up to below the next; shares are of all FLOPs. */
const BINS = [0, 2000, 6000, 13_000, 25_000, Infinity];
const BIN_NAMES = ['<2k', '2–6k', '6–13k', '13–25k', '≥25k'];

/** @param {Pick<CountedDispatch, 'flops' | 'bytes'>} work */
const milliseconds = ({ flops, bytes }) => Math.max(flops / peak, bytes / bandwidth) * 1e3;

/**
 * @template T
 * @param {readonly T[]} list
 * @param {(item: T) => number} of
 */
const sum = (list, of) => list.reduce((total, item) => total + of(item), 0);

/** @param {readonly CountedDispatch[]} dispatches */
function summary(dispatches) {
  const flops = sum(dispatches, (d) => d.flops);
  const inBin = (/** @type {number} */ i) => dispatches.filter(({ threads }) => threads >= BINS[i] && threads < BINS[i + 1]);
  return {
    dispatches: dispatches.length,
    pipelines: new Set(dispatches.map((d) => d.kernel)).size,
    gflop: flops / 1e9,
    gigabytes: sum(dispatches, (d) => d.bytes) / 1e9,
    computeMs: (flops / peak) * 1e3,
    rooflineMs: sum(dispatches, milliseconds),
    shares: BIN_NAMES.map((_, i) => sum(inBin(i), (d) => d.flops) / flops),
  };
}

/** @param {readonly CountedDispatch[]} dispatches */
function byKernel(dispatches) {
  /** @type {Map<string, CountedDispatch[]>} */
  const groups = new Map();
  for (const dispatch of dispatches) {
    const { name, label } = dispatch;
    const key = name.startsWith('matmul') ? `${label.startsWith('head/') ? label.split(' ')[0] : 'layers'} ${name}` : name;
    groups.set(key, [...(groups.get(key) ?? []), dispatch]);
  }
  return [...groups]
    .map(([name, list]) => ({ name, ...summary(list), threads: list.map((d) => d.threads).sort((a, b) => a - b) }))
    .sort((a, b) => b.rooflineMs - a.rooflineMs);
}

const detail = options.detail === undefined ? null : new RegExp(options.detail);
const results = MODELS.flatMap((model) =>
  /** @type {const} */ (['lisa', 'full']).flatMap((method) =>
    [1, 4].map((batchSize) => {
      const { layers, dispatches, memory } = step(model, { method, batchSize, family });
      const kernels = detail?.test(model) ? byKernel(dispatches) : undefined;
      return { model, method, tokens: batchSize * 512, layers, memory, ...summary(dispatches), kernels };
    }),
  ),
);

const percent = (/** @type {number} */ share) => `${Math.round(share * 100)}%`;
process.stdout.write(
  `One optimizer step of one micro-batch, ${family} kernels; roofline of ${options.tflops} TFLOP/s and ${options.gbps} GB/s.\n` +
    `Last columns: share of the FLOPs in dispatches of so many threads.\n\n`,
);
process.stdout.write(
  `${table(
    ['model', 'method', 'tokens', 'dispatches', 'pipelines', 'GFLOP', 'GB', 'compute ms', 'roofline ms', 'memory MiB', ...BIN_NAMES],
    results.map((r) => [
      r.model,
      r.method,
      ...[r.tokens, r.dispatches, r.pipelines].map(String),
      r.gflop.toFixed(1),
      r.gigabytes.toFixed(2),
      r.computeMs.toFixed(1),
      r.rooflineMs.toFixed(1),
      (r.memory / 2 ** 20).toFixed(0),
      ...r.shares.map(percent),
    ]),
    [0, 1],
  )}\n`,
);
for (const { model, method, tokens, kernels } of results) {
  if (!kernels) continue;
  process.stdout.write(
    `\n${model}, ${method}, ${tokens} tokens\n${table(
      ['kernel', 'dispatches', 'GFLOP', 'GB', 'FLOP/B', 'roofline ms', 'fewest threads', 'median', 'most'],
      kernels.map((k) => [
        k.name,
        String(k.dispatches),
        k.gflop.toFixed(2),
        k.gigabytes.toFixed(3),
        (k.gflop / k.gigabytes).toFixed(1),
        k.rooflineMs.toFixed(2),
        ...[k.threads[0], k.threads[k.threads.length >> 1], k.threads[k.threads.length - 1]].map(String),
      ]),
    )}\n`,
  );
}
if (options.json) writeFileSync(options.json, `${JSON.stringify({ ...options, results }, null, 1)}\n`);
