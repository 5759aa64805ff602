// What training changed, without the rest of the model: the tensors whose bytes differ from the base model's files. Applied to
// that base, they give the tuned model (delta.ts). For LoRA, the adapter does this.

import { BaseDigest, DELTA_ABOUT, DELTA_WEIGHTS } from './delta';
import { plainFile, type ExportFile } from '../io/formats/export-file';
import { piecesOf } from '../io/formats/pieces';
import { writeSafetensors } from '../io/formats/safetensors';
import { elementsOf, type ParameterRow } from '../model/types';
import { Change } from '../train/change';
import { adapterFiles } from './run';
import { declaredEnding } from './run-ending';
import type { Session } from '../train/session';

/** An entry of delta.json. */
interface ChangedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** ‖tuned − base‖ / ‖base‖ (Frobenius); null if the base is all zero. */
  readonly change: number | null;
}

/** Reads both models once to find what differs; delta.safetensors reads its tensors from the GPU again as it is written, all in pieces. */
export async function exportDelta(session: Session): Promise<readonly ExportFile[]> {
  const { engine, inputs, state } = session;
  const { config, files } = inputs;
  if (config.method === 'lora') return adapterFiles(session);
  const rows: ParameterRow[] = [];
  const tensors: ChangedTensor[] = [];
  const digest = new BaseDigest();
  for (const row of files.table) {
    const name = files.fileName(row);
    const moved = new Change();
    let same = true;
    for (const [start, end] of piecesOf(elementsOf(row))) {
      const base = await files.tensor(row, start, end);
      await digest.add(name, base);
      const tuned = await engine.readTensor(row, start, end);
      same &&= sameBits(base, tuned);
      moved.add(base, tuned);
    }
    if (same) continue;
    const change = moved.relative;
    rows.push(row);
    tensors.push({ name, shape: row.shape, change: Number.isFinite(change) ? change : null });
  }
  const about = {
    base_model: files.name,
    base_sha256: await digest.value(),
    method: config.method,
    steps: state.completed,
  };
  const ending = declaredEnding(inputs);
  const weights = writeSafetensors(
    rows.map((row) => ({
      name: files.fileName(row),
      dtype: 'f32' as const,
      shape: row.shape,
      data: (start: number, end: number) => engine.readTensor(row, start, end),
    })),
    { format: 'pt', ...about, steps: String(about.steps) },
  );
  return [
    { path: DELTA_WEIGHTS, size: weights.size, chunks: () => weights.chunks() },
    plainFile(DELTA_ABOUT, new TextEncoder().encode(`${JSON.stringify({ ...about, ending, tensors }, null, 2)}\n`)),
  ];
}

function sameBits(a: Float32Array<ArrayBuffer>, b: Float32Array<ArrayBuffer>): boolean {
  const [x, y] = [a, b].map(({ buffer, byteOffset, length }) => new Uint32Array(buffer, byteOffset, length));
  return x.every((word, i) => word === y[i]);
}
