// The adapters of a probe in files, one for each step, so that anybody can compute the norms again.

import { mkdir, readdir } from 'node:fs/promises';
import { AppError } from '../../base/errors';
import { writeSafetensors } from '../../io/formats/safetensors';
import { writeFolder } from '../../io/node/output';
import type { ProbeAdapter } from '../../train/probe';

/** Makes the folder. Throws CONFIG_INVALID if it exists and holds anything. */
export async function emptyFolder(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true }).catch(() => {
    throw new AppError('CONFIG_INVALID', `--adapters: ${directory} cannot be made.`, 'Give another folder.');
  });
  if ((await readdir(directory)).length > 0)
    throw new AppError('CONFIG_INVALID', `--adapters: ${directory} is not empty.`, 'Give a new folder.');
}

/** Writes step-<n>.safetensors with layers.<layer>.<matrix>.lora_A [rank, in] and lora_B [out, rank]. */
export async function keepAdapters(directory: string, step: number, rank: number, adapters: readonly ProbeAdapter[]): Promise<void> {
  const tensor = (name: string, shape: readonly number[], values: Float32Array<ArrayBuffer>) => ({
    name,
    dtype: 'f32' as const,
    shape,
    data: (start: number, end: number) => values.subarray(start, end),
  });
  const tensors = adapters.flatMap(({ layer, slice, a, b }) => [
    tensor(`layers.${layer}.${slice}.lora_A`, [rank, a.length / rank], a),
    tensor(`layers.${layer}.${slice}.lora_B`, [b.length / rank, rank], b),
  ]);
  const { size, chunks } = writeSafetensors(tensors);
  await writeFolder(directory, [{ path: `step-${step}.safetensors`, size, chunks }]);
}
