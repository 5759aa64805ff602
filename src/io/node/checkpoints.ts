// Checkpoints in a folder on disk: step-N.safetensors, and latest.json, which names the one to use. The pointer is renamed into
// place after the file is flushed, so a kill at any moment leaves a complete checkpoint.

import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../base/errors';
import type { CheckpointReader, CheckpointStore } from '../formats/checkpoints';
import type { SafetensorsFile } from '../formats/safetensors';
import { writeJson } from './output';

const POINTER = 'latest.json';

export class NodeCheckpoints implements CheckpointStore {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async write(step: number, file: SafetensorsFile): Promise<void> {
    const name = `step-${step}.safetensors`;
    const target = join(this.#directory, name);
    const temporary = `${target}.tmp`;
    try {
      await mkdir(this.#directory, { recursive: true });
      const handle = await open(temporary, 'w');
      try {
        for await (const chunk of file.chunks()) await handle.writeFile(chunk);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(temporary, target);
      await writeJson(join(this.#directory, POINTER), { file: name });
    } catch (cause) {
      await rm(temporary, { force: true }).catch(() => undefined);
      if (cause instanceof AppError) throw cause;
      throw new AppError(
        'STORAGE',
        `The checkpoint could not be written to ${this.#directory}: ${(cause as Error).message}.`,
        'Free some space, or choose another --out.',
        { cause },
      );
    }
    for (const other of await readdir(this.#directory)) {
      if (other !== name && other !== POINTER) await rm(join(this.#directory, other), { force: true });
    }
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
    await rm(this.#directory, { recursive: true, force: true });
  }
}
