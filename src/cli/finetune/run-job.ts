// A run of the terminal from loaded inputs to files: trains, writes checkpoints and metrics as it goes, and exports at the end.

import { join } from 'node:path';
import { AppError } from '../../base/errors';
import { exportRunGguf } from '../../export/run-gguf';
import { cardFile, exportTuned } from '../../export/run';
import type { SurvivalReport } from '../../export/folder';
import type { Gpu } from '../../gpu/device';
import type { CheckpointReader } from '../../io/formats/checkpoints';
import { CHECKPOINT_FOLDER, NodeCheckpoints } from '../../io/node/checkpoints';
import { nodeScratch } from '../../io/node/scratch';
import { nodeSource } from '../../io/node/source';
import { openModel } from '../../io/sources/model-files';
import { writeJson } from '../../io/node/output';
import type { OutputFolder, OutputPlan } from '../../io/node/output-folder';
import { savingBreakdown } from '../../plan/saving';
import type { Prepared, RunEvent } from '../../train/events';
import type { RunInputs } from '../../train/prepare';
import { Session } from '../../train/session';
import type { SessionHost } from '../../train/session-host';
import type { StopReason } from '../terminal';
import type { FinetuneIo } from './io';
import { afterMetrics, MetricsFile } from './metrics-file';
import type { FinetuneOptions } from './options';
import { describeBernoulli, describeEvent, describeRounding, describeSaving, memoryTable } from './print';

/** Everything that can be refused without a GPU has been refused. */
export interface Job {
  readonly options: FinetuneOptions;
  readonly inputs: RunInputs;
  readonly out: OutputPlan;
  /** The checkpoint to resume from. */
  readonly reader: CheckpointReader | null;
}

/** Exit status: 0, or that of what stopped it. The first thing that is written comes after the weights have been read and found sound. */
export async function runJob({ options, inputs, out: plan, reader }: Job, io: FinetuneIo, gpu: Gpu): Promise<number> {
  const metrics = new MetricsFile(join(plan.place, 'metrics.jsonl'));
  let prepared: Prepared | null = null;
  let stop: StopReason | null = null;
  let saved = false;
  const say = (line: string): void => io.stdout(`${line}\n`);
  const host: SessionHost = {
    checkpoints: afterMetrics(new NodeCheckpoints(join(plan.place, CHECKPOINT_FOLDER)), metrics),
    scratch: nodeScratch(plan.place),
    async gate() {
      metrics.check();
      if (!stop) return 'go';
      // At once: whoever sent the signal may not wait for the last evaluation.
      const answer = saved ? 'stop' : 'save';
      saved = true;
      return Promise.resolve(answer);
    },
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
  const stopListening = io.onStop((reason) => {
    stop = reason;
    io.stderr(`${reason.what}: saving and stopping after this step. Again to end at once.\n`);
  });
  let folder: OutputFolder | null = null;
  try {
    folder = await plan.claim();
    if (folder.replaces !== null)
      io.stderr(`Until the run is finished, it is in ${folder.path}; then it takes the place of ${folder.replaces}.\n`);
    await metrics.start(join(options.resume ?? plan.place, 'metrics.jsonl'), session.state.completed);
    const lost = gpu.lost.then((error) => Promise.reject(error));
    const failure = await Promise.race([train(session, options, reader !== null), lost]);
    await metrics.written();
    if (session.lastGoodStep === 0) {
      if (failure) throw failure;
      io.stderr(`Stopped before the first step: nothing is exported. Continue with --resume ${folder.path}\n`);
      return stopStatus(stop);
    }
    const rounding = await exportRun(session, folder, options, lost, io);
    const report = session.report();
    await writeJson(join(plan.place, 'report.json'), report);
    const ended = session.state.completed === inputs.config.steps;
    const place = ended ? await folder.finish() : folder.path;
    if (options.json) say(JSON.stringify({ type: 'report', report, out: place, rounding }));
    else {
      if (rounding) say(describeRounding(rounding));
      if (prepared) say(`\n${memoryTable(report, prepared)}`);
      if (report.bernoulli) say(describeBernoulli(report.bernoulli, report.schedule.length));
      if (report.method === 'lisa')
        say(describeSaving(savingBreakdown(inputs.files.shape, inputs.config, inputs.files.types, inputs.dataset.tokens.length)));
      say(
        `${report.tokensPerSecond.toFixed(0)} tokens/s; ${ended ? 'tuned model' : `model after step ${session.lastGoodStep}`} and reports in ${place}`,
      );
    }
    if (failure) throw failure;
    if (ended || options.exportLast) return 0;
    io.stderr(`Stopped after step ${session.state.completed}. Continue with --resume ${folder.path}\n`);
    return stopStatus(stop);
  } finally {
    stopListening();
    session.close();
    await folder?.release();
  }
}

const stopStatus = (stop: StopReason | null): number => stop?.status ?? 0;

/** The failure, if the run failed and the model of its last good step is to be exported. With a checkpoint, --export-last trains nothing. */
async function train(session: Session, { exportLast }: FinetuneOptions, resumed: boolean): Promise<AppError | null> {
  if (exportLast && resumed) {
    await session.endAtLastGood();
    return null;
  }
  try {
    await session.run();
    return null;
  } catch (thrown) {
    if (!exportLast || session.lastGoodStep === 0 || !(thrown instanceof AppError) || thrown.code !== 'NONFINITE_LOSS') throw thrown;
    if (session.inputs.config.gradClipMode !== 'global')
      throw new AppError(thrown.code, thrown.detail, `${thrown.remedy} The last checkpoint can be exported: --resume … --export-last.`, {
        cause: thrown,
      });
    await session.endAtLastGood().catch((second: unknown) => {
      if (!(second instanceof AppError) || second.code !== 'NONFINITE_LOSS') throw second;
      const detail = `${thrown.detail} The weights after step ${session.lastGoodStep} have no finite loss either, so they are not exported.`;
      throw new AppError(thrown.code, detail, thrown.remedy, { cause: second });
    });
    return thrown;
  }
}

/**
 * Writes the tuned model, and measures its loss if that is not the run's: rounded to 16 bits, or in full precision where the run had a
 * quantised base. Returns how much of the training survives rounding.
 */
async function exportRun(
  session: Session,
  folder: OutputFolder,
  { outDtype, gguf }: FinetuneOptions,
  lost: Promise<never>,
  io: FinetuneIo,
): Promise<SurvivalReport | null> {
  const { files, survival } = await exportTuned(session, outDtype);
  const more = gguf ? await exportRunGguf(session, gguf) : [];
  // config.json is written last, so a folder that has it is complete.
  await Promise.race([folder.write([...more, ...files]), lost]);
  if ((outDtype !== 'f32' || session.engine.truth) && session.inputs.dataset.evaluation.length > 0) {
    const written = await openModel(await nodeSource(folder.path));
    // Nothing needs the run's memory any more, so that this takes no more than the run did.
    session.engine.close();
    const measuring = session.evaluations.measureExported(session.state.completed, outDtype, (...part) => written.tensor(...part));
    if (await Promise.race([measuring, lost])) await folder.write([cardFile(session, outDtype)]);
    else io.stderr('There is no room on the GPU to measure the held-out loss of the exported model.\n');
  }
  return survival();
}
