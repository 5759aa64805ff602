// `npm run finetune`: arguments in, a tuned model and its reports out. A thin shell around train/session.

import { existsSync } from 'node:fs';
import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RunConfig } from '../config';
import { AppError, errorInfo, type ErrorCode } from '../errors';
import { openGpu } from '../gpu/device';
import { nodeGpu } from '../gpu/node';
import { BUILTIN_DATASETS, BUILTIN_MODELS } from '../io/builtin';
import { NodeCheckpoints } from '../io/node-checkpoints';
import { writeFolder, writeJson, writeText } from '../io/node-output';
import { nodeSource, readDataFile } from '../io/node-source';
import { readCheckpointState } from '../train/checkpoint';
import { exportTuned } from '../train/export-run';
import { prepareInputs, type RunFiles } from '../train/prepare';
import type { Prepared, RunEvent } from '../train/protocol';
import { Session, type SessionHost } from '../train/session';
import { flagOf, helpText, parseOptions, type FinetuneOptions } from './options';
import { describeEvent, memoryTable } from './print';

/** public/ of the project, seen from dist-node/. */
const PUBLIC = fileURLToPath(new URL('../public/', import.meta.url));

/** Faults of the device or of the run; everything else is bad input. */
const RUN_FAULTS: ReadonlySet<ErrorCode> = new Set(['NO_WEBGPU', 'NO_ADAPTER', 'SHADER_COMPILE', 'GPU_VALIDATION', 'GPU_OOM', 'DEVICE_LOST', 'NONFINITE_LOSS', 'STORAGE', 'INTERNAL']);

async function resolveFiles(config: RunConfig): Promise<RunFiles> {
  const builtinModel = existsSync(config.model) ? undefined : BUILTIN_MODELS.find((m) => m.id === config.model);
  const builtinData = existsSync(config.data) ? undefined : BUILTIN_DATASETS.find((d) => d.id === config.data);
  const evalPath = config.evalData ?? (builtinData ? join(PUBLIC, builtinData.evaluation) : null);
  return {
    model: await nodeSource(builtinModel ? join(PUBLIC, builtinModel.path) : config.model),
    data: await readDataFile(builtinData ? join(PUBLIC, builtinData.train) : config.data),
    evalData: evalPath === null ? null : await readDataFile(evalPath),
  };
}

/** What a person did not ask for adapts to a small model instead of refusing it. */
function adaptDefaults(options: FinetuneOptions, bounds: { layers: number; maxPositions: number }): RunConfig {
  const { config, explicit } = options;
  return {
    ...config,
    seqLen: explicit.has('seqLen') ? config.seqLen : Math.min(config.seqLen, bounds.maxPositions),
    lisaLayers: explicit.has('lisaLayers') ? config.lisaLayers : Math.min(config.lisaLayers, bounds.layers),
  };
}

const stamp = (): string => new Date().toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-');

/** Keeps the lines of a resumed run up to its checkpoint: the steps after it are trained again. */
async function startMetrics(path: string, completed: number): Promise<void> {
  const kept: string[] = [];
  if (completed > 0) {
    const text = await readFile(path, 'utf8').catch(() => '');
    for (const line of text.split('\n')) {
      const step = /^\{"step":(\d+),.*\}$/.exec(line)?.[1];
      if (step !== undefined && Number(step) <= completed) kept.push(`${line}\n`);
    }
  }
  await writeText(path, kept.join(''));
}

async function main(args: readonly string[]): Promise<void> {
  const options = parseOptions(args);
  if (options.help) {
    process.stdout.write(helpText());
    return;
  }
  const out = options.out ?? options.resume ?? join('runs', `${stamp()}-${options.config.method}`);
  const checkpoints = new NodeCheckpoints(join(out, 'checkpoint'));
  const reader = options.resume === null ? null : await new NodeCheckpoints(join(options.resume, 'checkpoint')).open();
  if (options.resume !== null && !reader) {
    throw new AppError('CHECKPOINT_MISMATCH', `--resume: ${options.resume} holds no checkpoint.`, 'Give the --out directory of a run that was started with --save-every.');
  }
  const stored = reader ? (await readCheckpointState(reader)).config : null;
  const asked: RunConfig = stored
    ? { ...stored, ...(options.explicit.has('model') && { model: options.config.model }), ...(options.explicit.has('data') && { data: options.config.data }), ...(options.explicit.has('evalData') && { evalData: options.config.evalData }) }
    : options.config;
  const files = await resolveFiles(asked);
  const inputs = await prepareInputs(asked, files, flagOf, stored ? undefined : (bounds) => adaptDefaults({ ...options, config: asked }, bounds));

  const metricsPath = join(out, 'metrics.jsonl');
  const print = options.json ? (line: unknown): void => void process.stdout.write(`${JSON.stringify(line)}\n`) : (line: unknown): void => void process.stdout.write(`${String(line)}\n`);
  let prepared: Prepared | null = null;
  let metrics: Promise<void> = Promise.resolve();
  let interrupted = false;
  const host: SessionHost = {
    checkpoints,
    gate: () => Promise.resolve(interrupted ? 'stop' : 'go'),
    discarded: () => false,
    emit(event: RunEvent) {
      if (event.type === 'prepared') prepared = event.prepared;
      if (event.type === 'step') {
        const { targets: _, ...line } = event.metrics;
        metrics = metrics.then(() => appendFile(metricsPath, `${JSON.stringify(line)}\n`));
      }
      if (options.json) {
        if (event.type !== 'phase') print(event);
        return;
      }
      const text = describeEvent(event, inputs.config.steps);
      if (text !== null) print(text);
    },
  };
  const gpu = await openGpu(await nodeGpu());
  const session = await Session.create(gpu, inputs, host, reader);
  process.on('SIGINT', () => {
    if (interrupted) process.exit(130);
    interrupted = true;
    process.stderr.write('Stopping after this step; press Ctrl-C again to end at once.\n');
  });
  try {
    await mkdir(out, { recursive: true });
    await startMetrics(metricsPath, session.trainer.completed);
    const lost = gpu.lost.then((error) => Promise.reject(error));
    const report = await Promise.race([session.run(), lost]);
    await metrics;
    const { files: exported, survival } = await exportTuned(session, options.outDtype);
    await writeFolder(out, exported);
    await writeJson(join(out, 'report.json'), report);
    if (options.json) {
      print({ type: 'report', report, out, rounding: survival() });
      return;
    }
    const rounded = survival();
    if (rounded) print(`rounded to ${rounded.dtype}: ${rounded.survived} of ${rounded.changed} changed weights survive${rounded.share === null ? '' : ` (${(100 * rounded.share).toFixed(2)} %)`}`);
    print(`\n${memoryTable(report, prepared!)}`);
    print(`${report.tokensPerSecond.toFixed(0)} tokens/s; tuned model and reports in ${out}`);
  } finally {
    session.close();
    gpu.close();
  }
}

main(process.argv.slice(2)).then(
  () => process.exit(0),
  (error: unknown) => {
    const { code, detail, remedy } = errorInfo(error);
    process.stderr.write(`finetune: ${[detail, remedy].join(' ').replace(/\s+/g, ' ').trim()}\n`);
    if (code === 'INTERNAL' && error instanceof Error && process.env.DEBUG) process.stderr.write(`${error.stack}\n`);
    process.exit(RUN_FAULTS.has(code) ? 1 : 2);
  },
);
