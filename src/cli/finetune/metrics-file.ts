// metrics.jsonl of a run: a line a step, in order, and never behind the checkpoint beside it.

import { existsSync } from 'node:fs';
import { appendFile, readFile } from 'node:fs/promises';
import type { CheckpointStorage } from '../../io/formats/checkpoints';
import { storage, writeText } from '../../io/node/output';

export class MetricsFile {
  readonly #path: string;
  #last: Promise<void> = Promise.resolve();
  #failure: unknown = null;

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
    // A run that fails before its first step leaves no file.
    if (kept.length > 0 || existsSync(this.#path)) await writeText(this.#path, kept.join(''));
  }

  append(line: object): void {
    this.#last = this.#last.then(() => storage(this.#path, () => appendFile(this.#path, `${JSON.stringify(line)}\n`)));
    // check() and written() report the error.
    this.#last.catch((thrown: unknown) => (this.#failure ??= thrown));
  }

  /** Throws STORAGE if a line could not be written. */
  check(): void {
    if (this.#failure instanceof Error) throw this.#failure;
  }

  /** Resolves when all lines are in the file. Throws STORAGE. */
  written(): Promise<void> {
    return this.#last;
  }
}

/** A checkpoint of step s comes after the lines up to s, so that a kill leaves no gap between them. */
export function afterMetrics(checkpoints: CheckpointStorage, metrics: MetricsFile): CheckpointStorage {
  return {
    async write(step, file) {
      await metrics.written();
      await checkpoints.write(step, file);
    },
    open: () => checkpoints.open(),
    clear: () => checkpoints.clear(),
  };
}
