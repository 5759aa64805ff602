// Weights in one file or, above a limit, in several with an index, named and laid out as Hugging Face's save_pretrained does:
// tensors in the model's order, each shard filled as far as the limit goes, a tensor above the limit in a shard of its own.

import type { Dtype } from '../../model/types';
import { writeSafetensors, type SafetensorsFile, type TensorToWrite } from './safetensors';

const SINGLE_FILE = 'model.safetensors';
export const SHARD_INDEX = 'model.safetensors.index.json';

/** Above this many bytes of tensors, weights go into several files. It is below 2 GiB, the limit of some readers and file systems. */
const SHARD_BYTES = 2e9;

/** Names that a folder's weights may have. Files left by an earlier export would be read instead of the new ones. */
export const isWeightFile = (name: string): boolean => /^model(-\d{5}-of-\d{5})?\.safetensors(\.index\.json)?$/.test(name);

interface WeightFile {
  readonly path: string;
  readonly file: SafetensorsFile;
}

export interface Weights {
  /** In writing order. */
  readonly files: readonly WeightFile[];
  /** Contents of the index; null if one file holds all weights. */
  readonly index: string | null;
}

const bytesOf = ({ shape, dtype }: { readonly shape: readonly number[]; readonly dtype: Dtype }): number =>
  shape.reduce((product, size) => product * size, dtype === 'f32' ? 4 : 2);

/** `tensors` in the model's order. */
export function weightFiles(tensors: readonly TensorToWrite[], limit = SHARD_BYTES): Weights {
  const metadata = { format: 'pt' };
  const shards: TensorToWrite[][] = [];
  let filled = 0;
  let total = 0;
  for (const tensor of tensors) {
    const bytes = bytesOf(tensor);
    total += bytes;
    if (shards.length === 0 || filled + bytes > limit) {
      shards.push([]);
      filled = 0;
    }
    shards.at(-1)!.push(tensor);
    filled += bytes;
  }
  if (shards.length <= 1) return { files: [{ path: SINGLE_FILE, file: writeSafetensors(tensors, metadata) }], index: null };
  const digits = (number: number): string => String(number).padStart(5, '0');
  const pathOf = (index: number): string => `model-${digits(index + 1)}-of-${digits(shards.length)}.safetensors`;
  const places = shards.flatMap((shard, index) => shard.map(({ name }): [string, string] => [name, pathOf(index)]));
  const weightMap = Object.fromEntries(places.sort(([a], [b]) => (a < b ? -1 : 1)));
  return {
    files: shards.map((shard, index) => ({ path: pathOf(index), file: writeSafetensors(shard, metadata) })),
    index: `${JSON.stringify({ metadata: { total_size: total }, weight_map: weightMap }, null, 2)}\n`,
  };
}
