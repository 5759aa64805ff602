// The tuned model as a folder in Hugging Face layout: weights under the names and in the prefix style of the base model,
// config.json with only the type changed, the tokenizer's files unchanged. Tensors are requested in pieces while the file is
// written. A 16-bit export counts how much of the training survives its rounding.

import { AppError } from '../base/errors';
import { shown } from '../model/config';
import { GENERATION, withEnding, withEntry, type DeclaredEnding } from './declared-ending';
import type { Dtype, ParameterRow } from '../model/types';
import { narrow } from '../base/half';
import { scanJson } from '../base/json-scan';
import type { ModelFiles } from '../io/sources/model-files';
import { plainFile, type ExportFile } from '../io/formats/export-file';
import { SHARD_INDEX, weightFiles } from '../io/formats/shards';

/**
 * How much of the training survives rounding. A weight is changed if tuned ≠ base in f32, and survives if they still differ
 * after rounding.
 */
export interface SurvivalReport {
  readonly dtype: Dtype;
  readonly weights: number;
  readonly changed: number;
  readonly survived: number;
  /** survived / changed; null when nothing changed. */
  readonly share: number | null;
}

export interface ExportedModel {
  /** In writing order: config.json last, so that a folder that has it is complete. */
  readonly files: readonly ExportFile[];
  /** Known once the weights have been written; null without `original`. */
  survival(): SurvivalReport | null;
}

/** Elements [start, end) of a tensor; by default all. */
export type ReadTensor = (row: ParameterRow, start?: number, end?: number) => Promise<Float32Array<ArrayBuffer>>;

export interface ExportOptions {
  /** The base model: names, config, companion files. */
  readonly files: ModelFiles;
  /** The tuned weights in f32, requested piece by piece, in the order of the file (by name). */
  readonly tensor: ReadTensor;
  readonly dtype: Dtype;
  /** The weights before training (files.tensor), to count what survives. */
  readonly original?: ReadTensor;
  /** How its turns or texts end; absent: its files say what they said. */
  readonly ending?: DeclaredEnding;
  /** Bytes of weights above which they go into several files. */
  readonly shardBytes?: number;
}

const TORCH_NAME: Readonly<Record<Dtype, string>> = { f32: 'float32', f16: 'float16', bf16: 'bfloat16' };

/** Reading the chunks of the weights throws NONFINITE_WEIGHTS if a tuned weight is not finite in the chosen type. */
export async function exportModel({ files, tensor, dtype, original, ending, shardBytes }: ExportOptions): Promise<ExportedModel> {
  const tally = { weights: 0, changed: 0, survived: 0 };
  let written = 0;
  const weights = weightFiles(
    files.table.map((row) => ({
      name: files.fileName(row),
      dtype,
      shape: row.shape,
      data: async (start, end) => {
        const data = await tensor(row, start, end);
        checkStorable(data, start, dtype, files.fileName(row));
        if (original) count(tally, data, await original(row, start, end), dtype);
        return data;
      },
    })),
    shardBytes,
  );
  const companions: ExportFile[] = [];
  const edited = (path: string, text: string | null): string | null => (ending ? withEnding(path, text, ending) : text);
  const utf8 = new TextEncoder();
  for (const path of files.passthrough) {
    // Only a file that changes goes through text: all others stay as they are, byte for byte.
    const text = ending && path.endsWith('.json') && path !== 'tokenizer.json' ? await files.text(path) : null;
    const changed = text === null ? null : edited(path, text);
    companions.push(plainFile(path, changed === text ? await files.read(path) : utf8.encode(changed!)));
  }
  if (!files.passthrough.includes(GENERATION)) {
    const made = edited(GENERATION, null);
    if (made !== null) companions.push(plainFile(GENERATION, utf8.encode(made)));
  }
  const config = utf8.encode(edited('config.json', withDtype(files.configText, dtype))!);

  const parts = weights.files.map(({ path, file }, index): ExportFile => ({
    path,
    size: file.size,
    async *chunks() {
      if (index === 0) Object.assign(tally, { weights: 0, changed: 0, survived: 0 });
      yield* file.chunks();
      written = index + 1;
    },
  }));
  if (weights.index !== null) companions.unshift(plainFile(SHARD_INDEX, utf8.encode(weights.index)));
  return {
    files: [...parts, ...companions, plainFile('config.json', config)],
    survival() {
      if (!original) return null;
      if (written < parts.length) throw new AppError('INTERNAL', 'The surviving weights are counted while the weights are written.', '');
      return { dtype, ...tally, share: tally.changed === 0 ? null : tally.survived / tally.changed };
    },
  };
}

/** config.json with torch_dtype (older name) or dtype (newer) set, torch_dtype added when neither is there; every other byte as it was. */
export function withDtype(configText: string, dtype: Dtype): string {
  const value = JSON.stringify(TORCH_NAME[dtype]);
  const { entries } = scanJson(configText);
  const hits = entries.filter(({ key }) => key === 'torch_dtype' || key === 'dtype');
  if (hits.length > 0) return hits.reduceRight((text, { start, end }) => text.slice(0, start) + value + text.slice(end), configText);

  return withEntry(configText, 'torch_dtype', value);
}

/** Values of this magnitude or above round to infinity. */
const OVERFLOW: Readonly<Record<Dtype, number>> = { f32: Infinity, f16: 65_520, bf16: (2 - 2 ** -8) * 2 ** 127 };

/** Throws NONFINITE_WEIGHTS with the place of the first value that is not finite, or would not be in `dtype`; `start`: of the piece. */
export function checkStorable(data: Float32Array, start: number, dtype: Dtype, name: string): void {
  const limit = OVERFLOW[dtype];
  for (let i = 0; i < data.length; i++) {
    // Written so that a NaN fails it.
    if (Math.abs(data[i]) < limit) continue;
    const value = data[i];
    const detail = `The tuned tensor ${shown(name)} holds ${value} at element ${start + i}, which ${Number.isFinite(value) ? `${dtype} cannot hold` : 'is not finite'}.`;
    const remedy = Number.isFinite(value)
      ? `Export as ${dtype === 'f16' ? 'bf16 or f32' : 'f32'}.`
      : 'The run diverged: train again with a lower learning rate.';
    throw new AppError('NONFINITE_WEIGHTS', detail, remedy);
  }
}

function count(tally: { weights: number; changed: number; survived: number }, tuned: Float32Array, base: Float32Array, dtype: Dtype): void {
  if (tuned.length !== base.length)
    throw new AppError('SHAPE_MISMATCH', `A tuned tensor has ${tuned.length} values, its original ${base.length}.`, '');
  tally.weights += tuned.length;
  const codes = dtype === 'f32' ? null : { tuned: narrow(tuned, dtype), base: narrow(base, dtype) };
  for (let i = 0; i < tuned.length; i++) {
    if (tuned[i] === base[i]) continue;
    tally.changed++;
    // +0 and −0 count as the same value.
    if (!codes || (codes.tuned[i] !== codes.base[i] && ((codes.tuned[i] | codes.base[i]) & 0x7fff) !== 0)) tally.survived++;
  }
}
