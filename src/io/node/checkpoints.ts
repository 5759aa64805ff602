// Checkpoints in a folder on disk: step-N.safetensors, and latest.json, which names the one to use. The pointer is renamed into
// place after the file is flushed, so a kill at any moment leaves a complete checkpoint.

import { mkdir, open, readdir, readFile, rename, rm, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../base/errors';
import type { CheckpointReader, CheckpointStorage } from '../formats/checkpoints';
import type { SafetensorsFile } from '../formats/safetensors';
import { isTemporary, storage, writeJson } from './output';

const POINTER = 'latest.json';

/** Where a run keeps them, in its folder. */
export const CHECKPOINT_FOLDER = 'checkpoint';

/** Where the pointer is in that folder: without it there is no checkpoint to resume from. */
export const CHECKPOINT_POINTER = `${CHECKPOINT_FOLDER}/${POINTER}`;

/** A name that only this file gives; all other files in the folder are left alone. */
export const isCheckpointFile = (name: string): boolean =>
  name === POINTER || /^step-\d+\.safetensors(\.tmp)?$/.test(name) || isTemporary(name);

export class NodeCheckpoints implements CheckpointStorage {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async write(step: number, file: SafetensorsFile): Promise<void> {
    const name = `step-${step}.safetensors`;
    const target = join(this.#directory, name);
    const temporary = `${target}.tmp`;
    try {
      // Not with its parents: where the run's folder was removed, that is told.
      await storage(this.#directory, () => mkdir(this.#directory).catch(unlessThere));
      const handle = await storage(target, () => open(temporary, 'w'));
      try {
        for await (const chunk of file.chunks()) await storage(target, () => handle.writeFile(chunk));
        await storage(target, () => handle.sync());
      } finally {
        await handle.close();
      }
      await storage(target, () => rename(temporary, target));
      await writeJson(join(this.#directory, POINTER), { file: name });
    } catch (thrown) {
      await rm(temporary, { force: true }).catch(() => undefined);
      if (thrown instanceof AppError && thrown.code !== 'STORAGE') throw thrown;
      const [detail, remedy] =
        thrown instanceof AppError
          ? [thrown.detail, thrown.remedy]
          : [`${(thrown as Error).message} (${target}).`, 'Free some space, or choose another --out.'];
      throw new AppError('STORAGE', `The checkpoint of step ${step} could not be written: ${detail}`, remedy, { cause: thrown });
    }
    await this.#remove((other) => other !== name && other !== POINTER);
  }

  async open(): Promise<CheckpointReader | null> {
    const pointer = await readFile(join(this.#directory, POINTER), 'utf8').catch(() => null);
    if (pointer === null) return null;
    const name = /"file":\s*"(step-\d+\.safetensors)"/.exec(pointer)?.[1];
    const path = join(this.#directory, name ?? '');
    const info = name ? await stat(path).catch(() => null) : null;
    if (!info?.isFile())
      throw new AppError(
        'CHECKPOINT_CORRUPT',
        `${join(this.#directory, POINTER)} names a checkpoint that does not exist.`,
        'Start the run again from the model.',
      );
    return {
      size: info.size,
      async read(start, end) {
        const handle = await open(path, 'r');
        try {
          const bytes = new Uint8Array(end - start);
          const { bytesRead } = await handle.read(bytes, 0, bytes.length, start);
          if (bytesRead !== bytes.length)
            throw new AppError('CHECKPOINT_CORRUPT', `${path} is cut short.`, 'Start the run again from the model.');
          return bytes;
        } finally {
          await handle.close();
        }
      },
    };
  }

  async clear(): Promise<void> {
    await this.#remove(() => true);
    await rmdir(this.#directory).catch(() => undefined);
  }

  async #remove(chosen: (name: string) => boolean): Promise<void> {
    const names = await readdir(this.#directory).catch(() => []);
    const own = names.filter((name) => isCheckpointFile(name) && chosen(name));
    for (const name of own) await storage(this.#directory, () => rm(join(this.#directory, name), { force: true }));
  }
}

function unlessThere(thrown: unknown): void {
  if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown;
}
