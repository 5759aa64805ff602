// What training changed, apart from the model: the tensors whose bytes differ from the base model's files. Added to that base
// they give the tuned model. LoRA has its adapter for this.

import { plainFile, type ExportFile } from '../io/export';
import { writeSafetensors } from '../io/safetensors';
import type { ParameterRow } from '../model/types';
import { Change } from './change';
import { adapterFiles } from './export-run';
import type { Session } from './session';

/** An entry of delta.json. */
interface ChangedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** ‖tuned − base‖ / ‖base‖ (Frobenius); null where the base is all zero. */
  readonly change: number | null;
}

/** Reads both models once to find what differs; delta.safetensors reads its tensors from the GPU again as it is written. */
export async function exportDelta(session: Session): Promise<readonly ExportFile[]> {
  const { engine, inputs, trainer } = session;
  const { config, files } = inputs;
  if (config.method === 'lora') return adapterFiles(session);
  const rows: ParameterRow[] = [];
  const tensors: ChangedTensor[] = [];
  const digests: string[] = [];
  for await (const { row, data: base } of files.tensors()) {
    const name = files.fileName(row);
    digests.push(`${name} ${await sha256(base)}`);
    const tuned = await engine.readTensor(row);
    if (sameBits(base, tuned)) continue;
    const change = new Change().add(base, tuned).relative;
    rows.push(row);
    tensors.push({ name, shape: row.shape, change: Number.isFinite(change) ? change : null });
  }
  const about = {
    base_model: files.name,
    base_sha256: await sha256(new TextEncoder().encode(digests.sort().join('\n'))),
    method: config.method,
    steps: trainer.completed,
  };
  const weights = writeSafetensors(
    rows.map((row) => ({ name: files.fileName(row), dtype: 'f32' as const, shape: row.shape, data: () => engine.readTensor(row) })),
    { format: 'pt', ...about, steps: String(about.steps) },
  );
  return [
    { path: 'delta.safetensors', size: weights.size, chunks: () => weights.chunks() },
    plainFile('delta.json', new TextEncoder().encode(`${JSON.stringify({ ...about, tensors }, null, 2)}\n`)),
  ];
}

function sameBits(a: Float32Array<ArrayBuffer>, b: Float32Array<ArrayBuffer>): boolean {
  const [x, y] = [a, b].map(({ buffer, byteOffset, length }) => new Uint32Array(buffer, byteOffset, length));
  return x.every((word, i) => word === y[i]);
}

async function sha256(data: ArrayBufferView<ArrayBuffer>): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest('SHA-256', data));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
