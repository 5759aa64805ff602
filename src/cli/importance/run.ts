// What `npm run importance` does, as a function: arguments in, a profile in a file, an exit status back. A thin shell around train/probe.

import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AppError, errorInfo } from '../../base/errors';
import { boundStrangers } from '../../io/node/bounded';
import { writeText } from '../../io/node/output';
import { realPath } from '../../io/node/overlap';
import { meanNorms, standInError, writeProfile } from '../../lisa/profile';
import { prepareInputs } from '../../train/prepare';
import { measureImportance, type ProbeAdapter, type ProbeProgress, type ProbeResult } from '../../train/probe';
import type { FinetuneIo } from '../finetune/io';
import { flagOf } from '../finetune/options';
import { duration } from '../finetune/print';
import { RUN_FAULTS } from '../finetune/run';
import { adaptDefaults, dataPath, modelPath, resolveData, resolveModel } from '../finetune/sources';
import { oneLine, type StopReason } from '../terminal';
import { profileOfRun } from './from-run';
import { emptyFolder, keepAdapters } from './kept-adapters';
import { HELP, parseImportanceOptions, type ImportanceOptions } from './options';

/** Thrown where a signal ends the measurement. */
class Stopped extends Error {
  constructor(readonly reason: StopReason) {
    super(reason.what);
  }
}

/** Exit status: 0, that of a StopReason, 1 where the device or the training failed, 2 for bad input; a failure is one line on standard error. */
export async function runImportance(args: readonly string[], io: FinetuneIo): Promise<number> {
  boundStrangers();
  try {
    const options = parseImportanceOptions(args);
    if (!options) io.stdout(HELP);
    else await importance(options, io);
    return 0;
  } catch (error) {
    if (error instanceof Stopped) {
      io.stderr(`${error.reason.what}: stopped, and nothing is written.\n`);
      return error.reason.status;
    }
    const { code, detail, remedy } = errorInfo(error);
    io.stderr(`importance: ${[detail, remedy].join(' ').replace(/\s+/g, ' ').trim()}\n`);
    if (code === 'INTERNAL' && error instanceof Error && io.debug) io.stderr(`${error.stack}\n`);
    return RUN_FAULTS.has(code) ? 1 : 2;
  }
}

async function importance(options: ImportanceOptions, io: FinetuneIo): Promise<void> {
  const { finetune, out, full, fullLr, verify, json, adapters, fromRun } = options;
  await checkOut(options, io);
  if (fromRun !== null) {
    const profile = await profileOfRun(fromRun);
    const text = writeProfile(profile);
    await writeText(out, text);
    const rows = profile.weights.map((p, layer) => row([String(layer), p.toFixed(4)]));
    io.stdout(json ? text : [row(['layer', 'p_l']), ...rows, used(out), ''].join('\n'));
    return;
  }
  if (adapters !== null) await emptyFolder(adapters);
  const adapt = (bounds: { layers: number; maxPositions: number }) => adaptDefaults(finetune, bounds);
  const { name: _, evalName: __, ...data } = await resolveData(finetune.config, finetune, io);
  const { source, name } = await resolveModel(finetune.config.model, finetune, io, () => undefined);
  const inputs = await prepareInputs(
    { ...finetune.config, model: name },
    { model: source, ...data },
    { label: flagOf, adapt: (bounds) => ({ ...adapt(bounds), model: name }) },
  );
  let stop: StopReason | null = null;
  const stopListening = io.onStop((reason) => (stop = reason));
  const gpu = await io.openGpu();
  try {
    const lost = gpu.lost.then((error) => Promise.reject(error));
    const measured = measureImportance(
      gpu,
      inputs,
      { fullLr: full ? fullLr : null, verify },
      {
        progress: (progress) => {
          if (!json) report(progress, io);
        },
        check: () => (stop ? Promise.reject(new Stopped(stop)) : Promise.resolve()),
        ...(adapters !== null && {
          adapters: (step: number, held: readonly ProbeAdapter[]) => keepAdapters(adapters, step, inputs.config.loraRank, held),
        }),
      },
    );
    const result = await Promise.race([measured, lost]);
    const text = writeProfile(result.profile);
    await writeText(out, text);
    io.stdout(json ? text : `${describe(result)}\n${used(out)}\n`);
  } finally {
    stopListening();
    gpu.close();
  }
}

const used = (out: string): string => `The profile is in ${out}. Train with it: finetune --lisa-profile ${out}`;

/** Nothing is measured that could not be written, and nothing that is read is overwritten. */
async function checkOut({ out, overwrite, finetune: { config } }: ImportanceOptions, io: FinetuneIo): Promise<void> {
  const held = await stat(out).catch(() => null);
  const refuse = (detail: string, remedy: string): never => {
    throw new AppError('CONFIG_INVALID', `--out ${out}: ${detail}`, remedy);
  };
  if (held && !held.isFile()) refuse('This is not a file.', 'Give the name of a file.');
  const reads = [modelPath(config.model, io), dataPath(config.data, io.publicFolder), config.evalData ?? ''].filter((path) =>
    existsSync(path),
  );
  for (const path of reads) {
    const real = await realPath(path);
    if ((await realPath(out)) === real || (await realPath(dirname(out))) === real)
      refuse(`The measurement reads ${path}.`, 'Give another file.');
  }
  if (held && !overwrite) refuse('This file exists.', 'Give another file, or --overwrite.');
}

function report({ phase, done, of, loss }: ProbeProgress, io: FinetuneIo): void {
  if (phase === 'loading' || loss === undefined) return;
  if (done !== 1 && done % 10 !== 0 && done !== of) return;
  io.stdout(`${phase === 'lora' ? 'LoRA' : 'full'} step ${String(done).padStart(String(of).length)}/${of}  loss ${loss.toFixed(4)}\n`);
}

const row = (cells: readonly string[]): string => cells.map((cell, at) => cell.padStart(at === 0 ? 5 : 14)).join('');

/** The table that a person sees. */
function describe({ profile, seconds, unchanged }: ProbeResult): string {
  const { norms, weights, model, data } = profile;
  const { lora, weights: below } = meanNorms(norms!);
  const error = standInError(norms!);
  const last = norms!.steps[norms!.steps.length - 1];
  const lines = [
    `${oneLine(model.name)} on ${oneLine(data!.name)}, ${profile.steps} steps of LoRA. Means over steps, squares summed over a layer's projections:`,
    row(['layer', '‖(α/r)BA‖', norms!.full ? '‖W‖, full' : '‖W₀‖', '‖A‖, last', '‖B‖, last', 'p_l']),
    ...weights.map((p, layer) =>
      row([
        String(layer),
        lora[layer].toExponential(3),
        below[layer].toFixed(4),
        last.a[layer].toFixed(4),
        last.b[layer].toExponential(3),
        p.toFixed(4),
      ]),
    ),
    error === null
      ? 'The norm of the base stands in for the mean norm under full training; --full measures that, too.'
      : `‖W₀‖ in its place would have been off by at most ${(100 * error).toFixed(3)} %.`,
    `${duration(seconds.steps)} of steps; norms took ${((100 * seconds.norms) / seconds.steps).toFixed(1)} % of that on top.`,
  ];
  if (unchanged) lines.push(`All ${unchanged.length} blocks of the model are bit for bit as they were loaded (${unchanged.join(', ')}).`);
  return lines.join('\n');
}
