// What `npm run finetune` does, as a function: arguments in, a tuned model and its reports out, an exit status back.
// A thin shell around train/session.

import { existsSync } from 'node:fs';
import { appendFile, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { checkConfig, type RunConfig } from '../../config/run-config';
import { looksLikeHubName, parseToken } from '../../io/hub/names';
import { AppError, errorInfo, type ErrorCode } from '../../base/errors';
import type { Gpu } from '../../gpu/device';
import { BUILTIN_DATASETS, BUILTIN_MODELS } from '../../io/sources/builtin';
import { NodeCheckpoints } from '../../io/node/checkpoints';
import type { FileSource } from '../../io/sources/file-source';
import { defaultCacheDir } from '../../io/node/models';
import { writeFolder, writeJson, writeModelFolder, writeText } from '../../io/node/output';
import { nodeSource, openDataFile } from '../../io/node/source';
import type { ModelShape } from '../../model/types';
import { savingBreakdown } from '../../plan/saving';
import { readCheckpointState } from '../../train/checkpoint';
import type { CheckpointReader, CheckpointStorage } from '../../io/formats/checkpoints';
import { checkGguf, exportRunGguf } from '../../export/run-gguf';
import { cardFile, evaluateExported, exportTuned } from '../../export/run';
import { prepareInputs, type RunFiles, type RunInputs } from '../../train/prepare';
import type { Prepared, RunEvent } from '../../train/events';
import { Session, type SessionHost } from '../../train/session';
import { writeElsewhere } from './continue-elsewhere';
import { openHubModel } from './hub-model';
import { flagOf, helpText, parseOptions, type FinetuneOptions } from './options';
import { describeBernoulli, describeEvent, describeRounding, describeSaving, memoryTable } from './print';

/** What the program needs of the process that it runs in. */
export interface FinetuneIo {
  stdout(text: string): void;
  stderr(text: string): void;
  openGpu(): Promise<Gpu>;
  /** Calls back when a person asks for the end (Ctrl-C). Returns how to stop listening. */
  onInterrupt(stop: () => void): () => void;
  /** The folder of the built-in model and data. */
  readonly publicFolder: string;
  /** Environment variables of the process: HF_TOKEN, XDG_CACHE_HOME. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Show where an internal error came from. */
  readonly debug: boolean;
}

/** Errors of the device or of the run; everything else is bad input. */
const RUN_FAULTS: ReadonlySet<ErrorCode> = new Set([
  'NO_WEBGPU',
  'NO_ADAPTER',
  'SHADER_COMPILE',
  'GPU_VALIDATION',
  'GPU_OOM',
  'DEVICE_LOST',
  'NONFINITE_LOSS',
  'HUB_SERVER',
  'HUB_CONNECTION',
  'HUB_STALLED',
  'HUB_CHANGED',
  'HUB_DIGEST',
  'STORAGE',
  'INTERNAL',
]);

/** Exit status: 0, 1 where the device or the run failed, 2 for bad input; a failure is one line on standard error. */
export async function runFinetune(args: readonly string[], io: FinetuneIo): Promise<number> {
  let resume: string | null = null;
  try {
    const options = parseOptions(args);
    resume = options.resume;
    if (options.help) io.stdout(helpText());
    else await finetune(options, io);
    return 0;
  } catch (error) {
    const { code, detail, remedy } = errorInfo(error);
    const where = resume !== null && code.startsWith('CHECKPOINT') ? `--resume ${resume}: ` : '';
    io.stderr(`finetune: ${[where + detail, remedy].join(' ').replace(/\s+/g, ' ').trim()}\n`);
    if (code === 'INTERNAL' && error instanceof Error && io.debug) io.stderr(`${error.stack}\n`);
    return RUN_FAULTS.has(code) ? 1 : 2;
  }
}

/** Everything that can be refused without a GPU is refused here. */
interface Job {
  readonly options: FinetuneOptions;
  readonly inputs: RunInputs;
  readonly out: string;
  /** The checkpoint to resume from. */
  readonly reader: CheckpointReader | null;
}

async function finetune(options: FinetuneOptions, io: FinetuneIo): Promise<void> {
  const job = await prepareJob(options, io);
  if (options.elsewhere !== null) {
    const names = await writeElsewhere(options.elsewhere, job.inputs, io.publicFolder);
    io.stdout(`The run for other engines is in ${options.elsewhere}: ${names.join(', ')}. Begin with README.md.\n`);
    return;
  }
  const gpu = await io.openGpu();
  try {
    await runJob(job, io, gpu);
  } finally {
    gpu.close();
  }
}

async function prepareJob(options: FinetuneOptions, io: FinetuneIo): Promise<Job> {
  const { resume, explicit, config } = options;
  const out = options.out ?? resume ?? join('runs', `${stamp()}-${config.method}`);
  const reader = resume === null ? null : await new NodeCheckpoints(join(resume, 'checkpoint')).open();
  if (resume !== null && !reader) {
    throw new AppError(
      'CHECKPOINT_MISMATCH',
      'There is no checkpoint.',
      'Give the --out directory of a run that was started with --save-every.',
    );
  }
  const taken = await stat(out).catch(() => null);
  if (taken && !taken.isDirectory()) throw new AppError('CONFIG_INVALID', `--out: ${out} is a file.`, 'Give a directory.');
  const stored = reader ? (await readCheckpointState(reader)).config : null;
  const asked: RunConfig = stored
    ? {
        ...stored,
        ...(explicit.has('model') && { model: config.model }),
        ...(explicit.has('data') && { data: config.data }),
        ...(explicit.has('evalData') && { evalData: config.evalData }),
      }
    : config;
  const adapt = (bounds: { layers: number; maxPositions: number }): RunConfig => (stored ? asked : adaptDefaults(options, bounds));
  const data = await resolveData(asked, io.publicFolder);
  const { source, name } = await resolveModel(asked.model, options, io, (shape) => checkConfig(adapt(shape), shape, flagOf));
  const named = { ...asked, model: name };
  const inputs = await prepareInputs(
    named,
    { model: source, ...data },
    flagOf,
    stored ? undefined : (bounds) => ({ ...adapt(bounds), model: name }),
  );
  if (options.gguf) await checkGguf(inputs).catch(withoutGguf);
  return { options, inputs, out, reader };
}

function withoutGguf(cause: unknown): never {
  if (!(cause instanceof AppError)) throw cause;
  throw new AppError(cause.code, `--gguf: ${cause.detail}`, 'Omit --gguf: the model is always written as safetensors.', {
    cause,
  });
}

/** `name`: how a resumed run finds the same weights. `check` is called before anything large is loaded. */
async function resolveModel(
  model: string,
  { hubUrl, cacheDir }: FinetuneOptions,
  io: FinetuneIo,
  check: (shape: ModelShape) => void,
): Promise<{ source: FileSource; name: string }> {
  const there = existsSync(model);
  const builtin = there ? undefined : BUILTIN_MODELS.find(({ id }) => id === model);
  if (there || builtin || !looksLikeHubName(model))
    return { source: await nodeSource(builtin ? join(io.publicFolder, builtin.path) : model), name: model };
  try {
    return await openHubModel(model, {
      hubUrl,
      cacheDir: cacheDir ?? defaultCacheDir(io.env),
      token: parseToken(io.env.HF_TOKEN),
      say: (line) => io.stderr(`${line}\n`),
      check,
    });
  } catch (thrown) {
    if (!(thrown instanceof AppError) || !thrown.code.startsWith('HUB_')) throw thrown;
    throw new AppError(
      thrown.code,
      `--model ${model}: this directory does not exist. As a model of the hub: ${thrown.detail}`,
      thrown.remedy,
      {
        cause: thrown,
      },
    );
  }
}

async function resolveData(config: RunConfig, publicFolder: string): Promise<Omit<RunFiles, 'model'>> {
  const builtinData = existsSync(config.data) ? undefined : BUILTIN_DATASETS.find((d) => d.id === config.data);
  const evalPath = config.evalData ?? (builtinData ? join(publicFolder, builtinData.evaluation) : null);
  return {
    data: await openDataFile(builtinData ? join(publicFolder, builtinData.train) : config.data),
    evalData: evalPath === null ? null : await openDataFile(evalPath),
  };
}

/** Settings that a person did not set adapt to a small model instead of refusing it. */
function adaptDefaults({ config, explicit }: FinetuneOptions, bounds: { layers: number; maxPositions: number }): RunConfig {
  return {
    ...config,
    seqLen: explicit.has('seqLen') ? config.seqLen : Math.min(config.seqLen, bounds.maxPositions),
    lisaLayers: explicit.has('lisaLayers') ? config.lisaLayers : Math.min(config.lisaLayers, bounds.layers),
  };
}

const stamp = (): string => new Date().toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-');

/** Trains and writes. The first thing that it writes comes after the weights have been read and found sound. */
async function runJob({ options, inputs, out, reader }: Job, io: FinetuneIo, gpu: Gpu): Promise<void> {
  const checkpoints = new NodeCheckpoints(join(out, 'checkpoint'));
  const metrics = new MetricsFile(join(out, 'metrics.jsonl'));
  let prepared: Prepared | null = null;
  let interrupted = false;
  const say = (line: string): void => io.stdout(`${line}\n`);
  const host: SessionHost = {
    checkpoints: afterMetrics(checkpoints, metrics),
    gate: () => Promise.resolve(interrupted ? 'stop' : 'go'),
    discarded: () => false,
    ...(options.verify && { proof: 'every period' as const }),
    emit(event: RunEvent) {
      if (event.type === 'prepared') prepared = event.prepared;
      if (event.type === 'step') {
        const { targets: _, ...line } = event.metrics;
        metrics.append(line);
      }
      const text = !options.json ? describeEvent(event, inputs.config.steps) : event.type === 'phase' ? null : JSON.stringify(event);
      if (text !== null) say(text);
    },
  };
  const session = await Session.create(gpu, inputs, host, reader);
  const stopListening = io.onInterrupt(() => {
    interrupted = true;
    io.stderr('Stopping after this step; press Ctrl-C again to end at once.\n');
  });
  try {
    if (!reader) await checkpoints.clear();
    await metrics.start(join(options.resume ?? out, 'metrics.jsonl'), session.state.completed);
    const lost = gpu.lost.then((error) => Promise.reject(error));
    await Promise.race([session.run(), lost]);
    await metrics.written();
    const { files, survival } = await exportTuned(session, options.outDtype);
    const gguf = options.gguf ? await exportRunGguf(session, options.gguf) : [];
    // config.json is written last, so a folder that has it is complete.
    await writeModelFolder(out, [...gguf, ...files]);
    const rounding = survival();
    if (options.outDtype !== 'f32' && inputs.dataset.evaluation.length > 0) {
      await Promise.race([evaluateExported(session, options.outDtype), lost]);
      await writeFolder(out, [cardFile(session, options.outDtype)]);
    }
    const report = session.report();
    await writeJson(join(out, 'report.json'), report);
    if (options.json) return say(JSON.stringify({ type: 'report', report, out, rounding }));
    if (rounding) say(describeRounding(rounding));
    say(`\n${memoryTable(report, prepared!)}`);
    if (report.bernoulli) say(describeBernoulli(report.bernoulli, report.schedule.length));
    if (report.method === 'lisa')
      say(describeSaving(savingBreakdown(inputs.files.shape, inputs.config, inputs.files.types, inputs.dataset.tokens.length)));
    say(`${report.tokensPerSecond.toFixed(0)} tokens/s; tuned model and reports in ${out}`);
  } finally {
    stopListening();
    session.close();
  }
}

/** metrics.jsonl: a line a step, in order. */
class MetricsFile {
  readonly #path: string;
  #last: Promise<void> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
  }

  /** Begins the file with the lines of `earlier` up to the step of the checkpoint: later steps are trained again. */
  async start(earlier: string, completed: number): Promise<void> {
    const kept: string[] = [];
    const text = completed > 0 ? await readFile(earlier, 'utf8').catch(() => '') : '';
    for (const line of text.split('\n')) {
      const step = /^\{"step":(\d+),.*\}$/.exec(line)?.[1];
      if (step !== undefined && Number(step) <= completed) kept.push(`${line}\n`);
    }
    await writeText(this.#path, kept.join(''));
  }

  append(line: object): void {
    this.#last = this.#last.then(() => appendFile(this.#path, `${JSON.stringify(line)}\n`));
    // written() reports the error.
    this.#last.catch(() => undefined);
  }

  /** Resolves when all lines are in the file. Throws STORAGE. */
  async written(): Promise<void> {
    try {
      await this.#last;
    } catch (cause) {
      throw new AppError(
        'STORAGE',
        `${this.#path} cannot be written: ${(cause as Error).message}.`,
        'Free some space, or choose another --out.',
        { cause },
      );
    }
  }
}

/** A checkpoint of step s comes after the lines up to s, so that a kill leaves no gap between them. */
function afterMetrics(checkpoints: CheckpointStorage, metrics: MetricsFile): CheckpointStorage {
  return {
    async write(step, file) {
      await metrics.written();
      await checkpoints.write(step, file);
    },
    open: () => checkpoints.open(),
    clear: () => checkpoints.clear(),
  };
}
