// What `npm run finetune` does, as a function: arguments in, a tuned model and its reports out, an exit status back.
// A thin shell around train/session.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { checkConfig, type RunConfig } from '../../config/run-config';
import type { Gpu } from '../../gpu/device';
import { AppError, errorInfo, type ErrorCode } from '../../base/errors';
import { boundStrangers } from '../../io/node/bounded';
import { CHECKPOINT_FOLDER, NodeCheckpoints } from '../../io/node/checkpoints';
import { planOutput, type OutputPlan } from '../../io/node/output-folder';
import { realPath } from '../../io/node/overlap';
import { readCheckpointState } from '../../train/checkpoint';
import { checkGguf } from '../../export/run-gguf';
import { prepareInputs, type RunInputs } from '../../train/prepare';
import { proveRun } from '../../train/prove';
import { describeBudget, planBudget } from './budget';
import { writeElsewhere } from './continue-elsewhere';
import { flagOf, helpText, parseOptions, type FinetuneOptions } from './options';
import { describeProofLines } from './print';
import { runJob, type Job } from './run-job';
import type { FinetuneIo } from './io';
import { withProfile } from './profile';
import { adaptDefaults, dataPath, modelPath, resolveData, resolveModel } from './sources';

/** Errors of the device or of the run; everything else is bad input. */
export const RUN_FAULTS: ReadonlySet<ErrorCode> = new Set([
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

/** Exit status: 0, that of a StopReason, 1 where the device or the run failed, 2 for bad input; a failure is one line on standard error. */
export async function runFinetune(args: readonly string[], io: FinetuneIo): Promise<number> {
  let resume: string | null = null;
  boundStrangers();
  try {
    const options = parseOptions(await withProfile(args));
    resume = options.resume;
    if (options.help) io.stdout(helpText());
    else return await finetune(options, io);
    return 0;
  } catch (error) {
    const { code, detail, remedy } = errorInfo(error);
    const where = resume !== null && code.startsWith('CHECKPOINT') ? `--resume ${resume}: ` : '';
    io.stderr(`finetune: ${[where + detail, remedy].join(' ').replace(/\s+/g, ' ').trim()}\n`);
    if (code === 'INTERNAL' && error instanceof Error && io.debug) io.stderr(`${error.stack}\n`);
    return RUN_FAULTS.has(code) ? 1 : 2;
  }
}

async function finetune(options: FinetuneOptions, io: FinetuneIo): Promise<number> {
  const job = await prepareJob(options, io);
  if (options.elsewhere !== null) {
    const names = await writeElsewhere(job.out, job.inputs, io.publicFolder);
    io.stdout(`The run for other engines is in ${options.elsewhere}: ${names.join(', ')}. Begin with README.md.\n`);
    return 0;
  }
  const gpu = await io.openGpu();
  try {
    const status = await runJob(job, io, gpu);
    return status === 0 && options.prove ? await prove(job, io, gpu) : status;
  } finally {
    gpu.close();
  }
}

async function prepareJob(options: FinetuneOptions, io: FinetuneIo): Promise<Job> {
  const { resume, explicit, config } = options;
  const reader = resume === null ? null : await new NodeCheckpoints(join(resume, CHECKPOINT_FOLDER)).open();
  if (resume !== null && !reader) {
    throw new AppError(
      'CHECKPOINT_MISMATCH',
      'There is no checkpoint.',
      'Give the --out directory of a run that was started with --save-every.',
    );
  }
  const stored = reader ? (await readCheckpointState(reader)).config : null;
  const asked: RunConfig = stored
    ? {
        ...stored,
        ...(explicit.has('model') && { model: config.model }),
        ...(explicit.has('data') && { data: config.data }),
        ...(explicit.has('evalData') && { evalData: config.evalData }),
      }
    : config;
  const out = await outputOf(asked, options, io);
  const adapt = (bounds: { layers: number; maxPositions: number }): RunConfig => (stored ? asked : adaptDefaults(options, bounds));
  const { name: dataName, evalName, ...data } = await resolveData(asked, options, io);
  const { source, name } = await resolveModel(asked.model, options, io, (shape) => checkConfig(adapt(shape), shape, flagOf));
  const pinned = { model: name, data: dataName, evalData: evalName };
  const named = { ...asked, ...pinned };
  const inputs = await prepareInputs(
    named,
    { model: source, ...data },
    { label: flagOf, progress: reading(io), ...(!stored && { adapt: (bounds) => ({ ...adapt(bounds), ...pinned }) }) },
  );
  if (options.prove && inputs.config.method !== 'lisa')
    throw new AppError('CONFIG_INVALID', `--prove shows what LISA promises, and --method is ${inputs.config.method}.`, 'Leave it out.');
  const fitted = stored ? inputs : inputsWithin(inputs, options, io);
  if (options.gguf) await checkGguf(inputs).catch(withoutGguf);
  return { options, inputs: fitted, out, reader };
}

/** Says now and then how far the data are read and tokenised. */
function reading(io: FinetuneIo): (fraction: number) => void {
  let told = performance.now();
  return (fraction) => {
    if (performance.now() < told + TELL_MS) return;
    told = performance.now();
    io.stderr(`Reading and tokenising the data: ${Math.floor(100 * fraction)} %\n`);
  };
}

/** Pause between two reports of long work. */
const TELL_MS = 3000;

/** Exit status: 1 if a line does not hold. */
async function prove({ options, inputs }: Job, io: FinetuneIo, gpu: Gpu): Promise<number> {
  const lines = await proveRun(gpu, inputs, { check: () => Promise.resolve(), progress: () => undefined });
  io.stdout(options.json ? `${JSON.stringify({ type: 'proof', lines })}\n` : `\n${describeProofLines(lines)}\n`);
  return lines.every(({ holds }) => holds) ? 0 : 1;
}

/** The inputs with the settings that keep the budget, if there is one. */
function inputsWithin(inputs: RunInputs, { memoryBudget, explicit, json }: FinetuneOptions, io: FinetuneIo): RunInputs {
  if (memoryBudget === null) return inputs;
  const { config, files, dataset } = inputs;
  const { shape, types } = files;
  const plan = planBudget({ shape, config, budget: memoryBudget, given: explicit, types, tokens: dataset.tokens.length });
  if (!json) io.stdout(`${describeBudget(plan, memoryBudget)}\n`);
  return { ...inputs, config: plan.config };
}

/** Where the results go. Nothing that the run reads may lie there. */
async function outputOf(asked: RunConfig, options: FinetuneOptions, io: FinetuneIo): Promise<OutputPlan> {
  const { resume, elsewhere, out, overwrite } = options;
  const [flag, path] =
    elsewhere !== null ? ['--continue-elsewhere', elsewhere] : ['--out', out ?? resume ?? join('runs', `${stamp()}-${asked.method}`)];
  const resumes = elsewhere === null && resume !== null && (await realPath(path)) === (await realPath(resume));
  const read = [
    { flag: '--model', path: modelPath(asked.model, io) },
    { flag: '--data', path: dataPath(asked.data, io.publicFolder) },
    { flag: '--eval-data', path: asked.evalData ?? '' },
    { flag: '--resume', path: resumes ? '' : (resume ?? '') },
  ].filter(({ path: given }) => existsSync(given));
  return planOutput({
    flag,
    path,
    overwrite,
    resumes,
    // The cache may not exist yet.
    inputs: [...read, ...(options.cacheDir === null ? [] : [{ flag: '--cache-dir', path: options.cacheDir }])],
    say: (line) => io.stderr(`${line}\n`),
  });
}

function withoutGguf(cause: unknown): never {
  if (!(cause instanceof AppError)) throw cause;
  throw new AppError(cause.code, `--gguf: ${cause.detail}`, 'Omit --gguf: the model is always written as safetensors.', {
    cause,
  });
}

const stamp = (): string => new Date().toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-');
