// For tests in Node: the finetune command on folders of the test's own, inside this process.

import { join } from 'node:path';
import { runFinetune } from '../cli/finetune/run';
import type { StopReason } from '../cli/terminal';
import { AppError } from '../base/errors';
import { nodeLab } from './node-lab';

export const ROOT = join(import.meta.dirname, '../..');

export interface CliResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Exit status of a run whose input was accepted, if the command gets no GPU. */
export const ACCEPTED = 1;

export interface CliOptions {
  /** If false, the command finds no adapter, so any other refusal happens without one. */
  readonly gpu?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  /** Receives the output as it is printed. */
  readonly watch?: (text: string) => void;
  /** Receives what stops the run. */
  readonly onStop?: (stop: (reason: StopReason) => void) => void;
}

export async function cli(args: readonly string[], { gpu = false, env = {}, watch, onStop }: CliOptions = {}): Promise<CliResult> {
  let stdout = '';
  let stderr = '';
  const status = await runFinetune(args, {
    stdout(text) {
      stdout += text;
      watch?.(text);
    },
    stderr: (text) => (stderr += text),
    async openGpu() {
      if (!gpu) throw new AppError('NO_ADAPTER', 'This test has no GPU.', '');
      // Shared by all tests of the process: the command must not close it.
      return { ...(await nodeLab()).gpu, close: () => undefined };
    },
    onStop(stop) {
      onStop?.(stop);
      return () => undefined;
    },
    publicFolder: join(ROOT, 'public'),
    env,
    debug: true,
  });
  return { status, stdout, stderr };
}

/** Options for a run of a few quick steps on a tiny model. */
export const quickOptions = (model: string, data: string, out: string, more: Readonly<Record<string, string>> = {}): string[] =>
  Object.entries({
    model,
    data,
    out,
    steps: '4',
    'seq-len': '12',
    'batch-size': '2',
    'lisa-layers': '2',
    'lisa-period': '2',
    'eval-every': '2',
    'eval-split': '0.3',
    'save-every': '2',
    lr: '0.01',
    prompt: 'one',
    ...more,
  }).flatMap(([name, value]) => [`--${name}`, value]);
