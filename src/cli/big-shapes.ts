// `npm run bigshapes [-- model …]`: real vocabularies under WebGPU's default limits. For GPT-2-124M, SmolLM2-135M and
// Qwen2.5-0.5B with random weights, it runs a LISA and a full step of one row of 32 tokens, compares the plan's bytes
// with the ledger's, and the gradients of three tensors with float64 PyTorch (tools/oracle/big_shapes.py). Slow on a
// CPU; Qwen's full step takes 8 GB. With --levers: runs LISA with every lever that saves memory over switches of layers, at
// T = 512 and 32, and says what each costs in time; for wordsmith-2m 200 switches. Exit status 1 if a check fails.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { BUILTIN_MODEL, type Method, type RunConfig } from '../config/run-config';
import { openGpu } from '../gpu/device';
import { DEFAULT_LIMITS } from '../dispatch/limits';
import { nodeGpu, UNCHECKED } from '../gpu/node';
import { parseModelConfig } from '../model/config';
import { parameterTable } from '../model/parameters';
import { PUBLIC_CONFIGS } from '../model/public-configs';
import { rowsOfShard } from '../model/shards';
import type { ModelShape, ParameterRow } from '../model/types';
import { forecast } from '../plan/forecast';
import { DEFAULT_KERNELS } from '../plan/input';
import { bytesByCategory, sumBytes, MEMORY_CATEGORIES } from '../dispatch/memory';
import type { BenchModel } from './bench/models';
import { mega, median, table } from './bench/print';
import { runLevers, type LeverCase } from './big-shapes/levers';
import { bigBatch, bigPieces, bigTensor, bigTokens, weightRule } from './big-shapes/weights';
import { Rig } from './bench/rig';
import { takeStep } from '../train/step';
import { Terminal } from './terminal';

const BATCH = { batchSize: 1, seqLen: 32 };
const ORACLE = fileURLToPath(new URL('../tools/oracle/big_shapes.py', import.meta.url));

interface Judged {
  readonly loss: number;
  /** Relative errors (L2) by tensor; for a tensor of several shards, also that of the worst shard. */
  readonly tensors: Readonly<Record<string, { error: number; worstShard: number; float32: number }>>;
  readonly float32Loss: number;
  readonly seconds: number;
}

interface Stepped {
  readonly loss: number;
  readonly gradNorm: number;
  readonly loadMs: number;
  readonly stepMs: number;
  readonly plan: number;
  readonly ledger: number;
  /** Memory categories in which plan, ledger and forecast are not equal. */
  readonly unequal: readonly string[];
  readonly device: string;
  readonly largest: string;
  /** SHA-256 of the gradient by tensor, for tensors that train. */
  readonly hashes: ReadonlyMap<string, string>;
}

const terminal = new Terminal();
const print = (line = ''): void => terminal.stdout(`${line}\n`);
const note = (line: string): void => terminal.stderr(`${line}\n`);

/** The embedding, a matrix half-way up, and the lowest norm, which every gradient reaches. */
function sampled(shape: ModelShape): ParameterRow[] {
  const rows = parameterTable(shape);
  const find = (fits: (row: ParameterRow) => boolean): ParameterRow => rows.find(fits)!;
  return [
    find(({ role }) => role === 'embedding'),
    find(({ layer, local }) => layer === shape.layers / 2 && /down_proj|mlp\.c_proj/.test(local)),
    find(({ layer, role }) => layer === 0 && role === 'norm'),
  ];
}

/** One optimizer step; `keep` receives the gradients of the sampled tensors that train. */
async function step(
  id: string,
  shape: ModelShape,
  method: Method,
  ids: readonly number[],
  keep: (row: ParameterRow, gradient: Float32Array<ArrayBuffer>) => Promise<void>,
): Promise<Stepped> {
  const gpu = await openGpu(await nodeGpu(UNCHECKED), { defaultLimits: true });
  const { maxBufferSize, maxStorageBufferBindingSize } = gpu.limits;
  if (maxBufferSize !== DEFAULT_LIMITS.maxBufferSize || maxStorageBufferBindingSize !== DEFAULT_LIMITS.maxStorageBufferBindingSize)
    throw new Error(`The device has other limits than the default ones: ${maxBufferSize}, ${maxStorageBufferBindingSize}.`);
  const started = performance.now();
  const tensor = (...part: readonly [ParameterRow, number, number]): Promise<Float32Array<ArrayBuffer>> =>
    Promise.resolve(bigTensor(shape, ...part));
  const model: BenchModel = {
    id,
    shape,
    types: 'f32',
    batch: { software: BATCH, hardware: BATCH },
    pieces: () => bigPieces(shape),
    tensor,
  };
  const rig = await Rig.create(gpu, model, { method, batch: BATCH, kernels: DEFAULT_KERNELS });
  const { engine, state, config } = rig;
  try {
    await engine.executor.idle();
    const loadMs = performance.now() - started;
    note(`${id} ${method}: ${mega(engine.allocator.reading().liveTotal)} allocated and loaded in ${(loadMs / 1000).toFixed(0)} s`);
    const batch = bigBatch(ids);
    const before = performance.now();
    const data = { microBatches: [batch], targets: batch.targets, tokens: batch.rows };
    const { stats } = await takeStep({ ...state, loader: { nextStep: () => data } });
    const { loss, gradNorm, bad } = await stats;
    if (bad) throw new Error(`The step of ${id} with ${method} has a loss or gradient that is not finite.`);
    await engine.executor.idle();
    const stepMs = performance.now() - before;
    const { alwaysOn, slots } = engine.plan.buffers;
    const hashes = new Map<string, string>();
    for (const row of sampled(shape)) {
      const slot = state.controller.slots().findIndex(({ layer }) => layer === row.layer);
      const of = row.layer === null ? alwaysOn.get('embedding') : slots[slot];
      if (!of) continue;
      const gradient = await engine.readGradient(of, row.local);
      hashes.set(row.name, createHash('sha256').update(new Uint8Array(gradient.buffer)).digest('hex'));
      await keep(row, gradient);
    }
    const ledger = engine.allocator.reading().live;
    const planned = bytesByCategory(engine.plan.allBuffers);
    const shown = forecast(shape, config);
    const { buffer, binding } = shown.largest;
    return {
      loss,
      gradNorm,
      loadMs,
      stepMs,
      plan: sumBytes(planned),
      ledger: sumBytes(ledger),
      unequal: MEMORY_CATEGORIES.filter((name) => planned[name] !== ledger[name] || shown.bytes[name] !== ledger[name]),
      device: `${gpu.description.description}${gpu.description.software ? ' (software)' : ''}`,
      largest: `buffer ${buffer.name} ${mega(buffer.bytes)}, binding in ${binding.name} ${mega(binding.bytes)}`,
      hashes,
    };
  } finally {
    engine.close();
    gpu.close();
  }
}

const configOf = (id: string): unknown => PUBLIC_CONFIGS[id as keyof typeof PUBLIC_CONFIGS];

/** Float64 PyTorch on the same weights and tokens, in a process of its own. */
async function judge(
  folder: string,
  id: string,
  shape: ModelShape,
  ids: readonly number[],
  rows: readonly ParameterRow[],
): Promise<Judged> {
  const config = configOf(id);
  const manifest = {
    config,
    ids,
    tensors: parameterTable(shape).map((row, index) => ({ name: row.name, shape: row.shape, ...weightRule(row, index) })),
    gradients: rows.map((row) => ({
      name: row.name,
      file: `${row.name}.f32`,
      rowsOfShard: row.shards > 1 ? rowsOfShard(row.shape[1]) : null,
    })),
  };
  await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest));
  const { stdout } = await promisify(execFile)(process.env.PYTHON ?? 'python3', [ORACLE, folder], { maxBuffer: 2 ** 24 });
  return JSON.parse(stdout) as Judged;
}

async function prove(id: string): Promise<string[]> {
  const shape = parseModelConfig(configOf(id), `${id}/config.json`);
  const ids = bigTokens(shape, BATCH.seqLen);
  const folder = await mkdtemp(join(tmpdir(), 'lisa-bigshapes-'));
  const faults: string[] = [];
  try {
    const lisa = await step(id, shape, 'lisa', ids, () => Promise.resolve());
    const full = await step(id, shape, 'full', ids, (row, gradient) => writeFile(join(folder, `${row.name}.f32`), gradient));
    for (const [method, { unequal }] of Object.entries({ lisa, full })) {
      if (unequal.length > 0) faults.push(`${id} ${method}: plan, forecast and ledger differ in ${unequal.join(', ')}`);
    }
    for (const [name, hash] of lisa.hashes)
      if (hash !== full.hashes.get(name)) faults.push(`${id}: LISA's gradient of ${name} is not that of the full step, bit for bit`);
    if (lisa.loss !== full.loss) faults.push(`${id}: losses ${lisa.loss} and ${full.loss} of the same weights`);
    const rows = sampled(shape);
    print(`${id}, ${full.device}. Largest ${full.largest}; the embedding is in ${rows[0].shards} shards.`);
    print(
      table(
        ['step', 'load s', 'step s', 'loss', 'gradient norm', 'plan bytes', 'ledger bytes'],
        Object.entries({ lisa, full }).map(([method, of]) => [
          method,
          (of.loadMs / 1000).toFixed(1),
          (of.stepMs / 1000).toFixed(1),
          of.loss.toFixed(5),
          of.gradNorm.toFixed(4),
          String(of.plan),
          String(of.ledger),
        ]),
      ),
    );
    const same = [...lisa.hashes].filter(([name, hash]) => hash === full.hashes.get(name)).map(([name]) => name);
    print(`LISA's gradients that are bit for bit those of the full step: ${same.join(', ')} (of ${[...lisa.hashes.keys()].join(', ')}).`);
    const judged = await judge(folder, id, shape, ids, rows);
    const lossError = Math.abs(full.loss / judged.loss - 1);
    const lossBound = Math.max(1e-6, 4 * judged.float32Loss);
    if (!(lossError <= lossBound)) faults.push(`${id}: the loss is off by ${lossError}`);
    const text = (value: number): string => value.toExponential(1);
    print(
      `Against float64 PyTorch (${judged.seconds.toFixed(0)} s): loss ${text(lossError)} (float32 PyTorch ${text(judged.float32Loss)})`,
    );
    for (const [name, { error, worstShard, float32 }] of Object.entries(judged.tensors)) {
      print(`  ${name}: ${text(error)}, worst shard ${text(worstShard)} (float32 PyTorch ${text(float32)})`);
      if (!(Math.max(error, worstShard) <= Math.max(1e-5, 4 * float32)))
        faults.push(`${id}: the gradient of ${name} is off by ${error}, a shard of it by ${worstShard}`);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  print();
  return faults;
}

/** Megabytes (10⁶ bytes) that two layers, 4,096 rows and T = 512 may take at most. */
const GOALS: Readonly<Record<string, number>> = {
  'gpt2-124m': 430,
  'smollm2-135m': 360,
  'gemma-3-270m': 545,
  'smollm2-360m': 790,
  'qwen2.5-0.5b': 1030,
};

const LEVER_CASES: readonly LeverCase[] = [
  { seqLen: 512, steps: 2, stepsPerPeriod: 1, rows: 4096 },
  { seqLen: 32, steps: 20, stepsPerPeriod: 4, rows: 4096 },
];

const WITHOUT: Readonly<Record<string, Partial<RunConfig>>> = {
  'layers computed again': { recompute: 'off' },
  'base in 8 bits': { weightStorage: 'f32' },
  'state in 8 bits': { optimizerState: 'f32' },
  'clipping by layer': { gradClipMode: 'global' },
  'embedding and head by rows': { lisaEmbedding: 'on', lisaHead: 'on' },
};

/** A model of which 200 switches take minutes. */
const MANY_SWITCHES: readonly LeverCase[] = [{ seqLen: 32, steps: 201, stepsPerPeriod: 1, rows: 1024 }];

async function proveLevers(id: string): Promise<string[]> {
  const shape = parseModelConfig(configOf(id), `${id}/config.json`);
  const gpu = await openGpu(await nodeGpu(UNCHECKED), { defaultLimits: true });
  const faults: string[] = [];
  try {
    print(`${id}, γ = 2, every lever, ${gpu.description.description}${gpu.description.software ? ' (software)' : ''}`);
    const header = [
      'T',
      'steps',
      'switches',
      'plan bytes',
      'ledger bytes',
      'grown',
      'CPU s a step',
      'first loss',
      'last loss',
      'layers trained',
    ];
    const lines: string[][] = [];
    const run = async (of: LeverCase): Promise<number> => {
      const done = await runLevers(gpu, shape, of, DEFAULT_KERNELS);
      const cpu = median(done.cpuSeconds.slice(1));
      const loss = (at: number): string => done.losses.at(at)!.toFixed(5);
      const { steps, seqLen } = of;
      const counts = [seqLen, steps, done.switches, done.plan, done.ledger].map(String);
      lines.push([...counts, mega(done.grown), cpu.toFixed(1), loss(0), loss(-1), done.trained.join(' ')]);
      note(`${id}: ${steps} steps at T = ${seqLen} done`);
      faults.push(...done.faults.map((fault) => `${id}, T = ${seqLen}: ${fault}`));
      if (of.changes === undefined && done.ledger > (GOALS[id] ?? Infinity) * 1e6)
        faults.push(`${id}, T = ${seqLen}: the ledger counts ${mega(done.ledger)}, more than the goal of ${GOALS[id]} MB`);
      return cpu;
    };
    const many = id === BUILTIN_MODEL;
    for (const of of many ? MANY_SWITCHES : LEVER_CASES) await run(of);
    if (many) {
      print(table(header, lines));
      return faults;
    }
    // Each lever off by itself: what a step costs with and without it.
    const one = { seqLen: 512, steps: 3, stepsPerPeriod: 100, rows: 4096 };
    const all = await run({ ...one, changes: {} });
    const prices: string[] = [];
    for (const [name, changes] of Object.entries(WITHOUT))
      prices.push(`${name}: ${(all / (await run({ ...one, changes }))).toFixed(3)} × the CPU time of a step without it`);
    print(table(header, lines));
    prices.forEach((line) => print(line));
  } finally {
    gpu.close();
  }
  print();
  return faults;
}

const levers = process.argv.includes('--levers');
const asked = process.argv.slice(2).filter((argument) => argument !== '--levers');
const known = Object.keys(PUBLIC_CONFIGS);
const unknown = asked.filter((id) => !known.includes(id));
if (unknown.length > 0) {
  note(`There is no model ${unknown.join(', ')}. Usage: npm run bigshapes -- [--levers] [${known.join('] [')}]`);
  process.exit(2);
}
const faults: string[] = [];
const chosen = asked.length > 0 ? asked : levers ? ['smollm2-135m'] : known;
for (const id of chosen) faults.push(...(await (levers ? proveLevers(id) : prove(id))));
for (const fault of faults) print(`WRONG  ${fault}`);
print(faults.length === 0 ? 'All checks hold.' : `${faults.length} checks fail.`);
process.exit(faults.length === 0 ? 0 : 1);
