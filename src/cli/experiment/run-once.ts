// One run of finetune inside this process: its report and its samples.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openGpu } from '../../gpu/device';
import { nodeGpu, UNCHECKED } from '../../gpu/node';
import type { RunEvent, RunReport, Sample } from '../../train/events';
import type { FinetuneIo } from '../finetune/io';
import { runFinetune } from '../finetune/run';
import type { Terminal } from '../terminal';

export interface Outcome {
  /** Layers of the model. */
  readonly layers: number;
  readonly report: RunReport;
  readonly samples: readonly Sample[];
}

const publicFolder = fileURLToPath(new URL('../public/', import.meta.url));

/** What a program that is run from here needs of this process; what it prints is read. */
export const quietIo = (terminal: Terminal, stdout: (text: string) => void): FinetuneIo => ({
  stdout,
  stderr: terminal.stderr,
  openGpu: async () => openGpu(await nodeGpu(UNCHECKED)),
  onStop: () => () => undefined,
  publicFolder,
  env: process.env,
  debug: true,
});

/** Told of a run that did not end well; its default ends the process with finetune's status. */
type OnFailure = (status: number) => never;
const endProcess: OnFailure = (status) => process.exit(status || 1);

/**
 * `args`: options of finetune. Tells the loss of every 20th step as `name`. `look` may read the folder that the run has written, before it is
 * deleted.
 */
export async function runOnce(
  terminal: Terminal,
  name: string,
  args: readonly string[],
  { look, onFailure = endProcess }: { look?: (folder: string) => Promise<void>; onFailure?: OnFailure } = {},
): Promise<Outcome> {
  const out = await mkdtemp(join(tmpdir(), 'lisa-experiment-'));
  const samples: Sample[] = [];
  let report: RunReport | null = null;
  let layers = 0;
  const always = ['--eval-every', '0', '--save-every', '0', '--sample-at', 'ends', '--out', out, '--json'];
  const status = await runFinetune(
    [...always, ...args],
    quietIo(terminal, (text) => {
      for (const line of text.split('\n').filter((part) => part !== '')) {
        const event = JSON.parse(line) as RunEvent | { readonly type: 'report'; readonly report: RunReport };
        if (event.type === 'prepared') layers = event.prepared.shape.layers;
        if (event.type === 'sample') samples.push(event.sample);
        if (event.type === 'report') report = event.report;
        if (event.type === 'step' && event.metrics.step % 20 === 0)
          terminal.stderr(`${name}: step ${event.metrics.step}, loss ${event.metrics.loss.toFixed(3)}\n`);
      }
    }),
  );
  if (status === 0) await look?.(out);
  await rm(out, { recursive: true, force: true });
  if (status !== 0 || !report) return onFailure(status);
  const losses = (report as RunReport).evalLoss.map(({ step, loss }) => `${step}: ${loss.toFixed(4)}`);
  terminal.stderr(`${name}: held-out ${losses.join(', ')}\n`);
  return { layers, report, samples };
}
