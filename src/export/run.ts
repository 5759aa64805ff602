// The tuned model of a session as files: merged weights in Hugging Face layout with a model card and, for LoRA, the adapter.

import { exportModel, type ReadTensor, type SurvivalReport } from './folder';
import { plainFile, type ExportFile } from '../io/formats/export-file';
import { bf16ToF32, f16ToF32, narrow, type HalfDtype } from '../base/half';
import { piecesOf } from '../io/formats/pieces';
import { writeSafetensors } from '../io/formats/safetensors';
import { elementsOf, type Dtype, type ParameterRow } from '../model/types';
import { loraSites, mergeAdapter } from '../engine/lora';
import { declaredEnding } from './run-ending';
import { modelCard } from './model-card';
import type { Session } from '../train/session';

export interface TunedModel {
  readonly files: readonly ExportFile[];
  /** How much of the training survives rounding; null for f32. It is known after the files have been written. */
  survival(): SurvivalReport | null;
}

/**
 * The adapter lies below the merged model, not beside it: where a folder holds adapter_config.json, transformers takes it for an adapter,
 * and loads the base model that it names instead of the weights that are there.
 */
const ADAPTER_FOLDER = 'adapter';

/** Files read their tensors from the GPU as they are written, piece by piece. `shardBytes`: weights above it go into several files. */
export async function exportTuned(session: Session, dtype: Dtype, shardBytes?: number): Promise<TunedModel> {
  const { files, config } = session.inputs;
  const model = await exportModel({
    files,
    dtype,
    shardBytes,
    ending: declaredEnding(session.inputs),
    tensor: tunedTensor(session),
    ...(dtype !== 'f32' && { original: files.tensor }),
  });
  const adapter =
    config.method === 'lora' ? adapterFiles(session).map((file) => ({ ...file, path: `${ADAPTER_FOLDER}/${file.path}` })) : [];
  return {
    files: [...model.files.slice(0, -1), ...adapter, cardFile(session, dtype), ...model.files.slice(-1)],
    survival: () => (dtype === 'f32' ? null : model.survival()),
  };
}

/** README.md with what the session has measured so far. */
export function cardFile(session: Session, dtype: Dtype): ExportFile {
  const { files, config, dataset } = session.inputs;
  const card = modelCard({
    base: files.name,
    commit: files.commit,
    config,
    data: dataset.summary,
    report: session.report(),
    dtype,
    tied: files.shape.tied,
  });
  return plainFile('README.md', new TextEncoder().encode(card));
}

/**
 * The held-out loss of what an export in a 16-bit type holds: rounds the tuned weights on the GPU as the export rounds them (LoRA's
 * adapters merged first, and out of effect after that) and evaluates again. The run must be over and its files written. Where weights
 * lie in 16 bits on the GPU they cannot hold another type's rounding: then nothing is done, and the loss stays that of the run.
 */
export async function evaluateExported(session: Session, dtype: HalfDtype): Promise<void> {
  const { engine, inputs } = session;
  if (inputs.files.table.some((row) => engine.storedAs(row) !== 'f32')) return;
  const tuned = tunedTensor(session);
  for (const row of inputs.files.table) {
    for (const [start, end] of piecesOf(elementsOf(row))) {
      const codes = narrow(await tuned(row, start, end), dtype);
      await engine.writeTensor(row, dtype === 'f16' ? f16ToF32(codes) : bf16ToF32(codes), start);
    }
  }
  for (const layer of engine.plan.buffers.adapters.keys()) {
    for (const { b, out } of loraSites(inputs.files.shape)) engine.writeAdapter(layer, b, new Float32Array(out * inputs.config.loraRank));
  }
  await session.evaluations.measure(session.state.completed, dtype);
}

/** Reads a tensor of the tuned model, or a piece of it; LoRA's adapters are merged into it. */
export const tunedTensor = (session: Session): ReadTensor =>
  session.inputs.config.method === 'lora' ? (...part) => mergedTensor(session, ...part) : (...part) => session.engine.readTensor(...part);

async function mergedTensor(session: Session, row: ParameterRow, start = 0, end?: number): Promise<Float32Array<ArrayBuffer>> {
  const { engine, inputs } = session;
  const weight = await engine.readTensor(row, start, end);
  const site = row.layer === null ? undefined : loraSites(inputs.files.shape).find((s) => s.weight === row.local);
  if (!site || row.layer === null) return weight;
  const { loraRank, loraAlpha } = inputs.config;
  const [a, b] = [await engine.readAdapter(row.layer, site.a), await engine.readAdapter(row.layer, site.b)];
  return mergeAdapter(weight, site, a, b, loraRank, loraAlpha / loraRank, start);
}

/** adapter_model.safetensors and adapter_config.json as PEFT reads them. */
export function adapterFiles(session: Session): ExportFile[] {
  const { engine, inputs } = session;
  const { shape } = inputs.files;
  const { loraRank, loraAlpha } = inputs.config;
  const base = shape.style === 'gpt2' ? 'base_model.model.transformer.h' : 'base_model.model.model.layers';
  const weights = writeSafetensors(
    engine.plan.buffers.adapters.flatMap(({ rows }, layer) =>
      rows.map((row) => ({
        name: `${base}.${layer}.${row.local}.weight`,
        dtype: 'f32' as const,
        shape: row.shape,
        data: async (start: number, end: number) => (await engine.readAdapter(layer, row.local)).subarray(start, end),
      })),
    ),
    { format: 'pt' },
  );
  const config = {
    peft_type: 'LORA',
    task_type: 'CAUSAL_LM',
    base_model_name_or_path: inputs.files.name,
    // Null if the base is a folder. PEFT loads the base at this commit, even if the repository changes later.
    revision: inputs.files.commit,
    r: loraRank,
    lora_alpha: loraAlpha,
    lora_dropout: 0,
    bias: 'none',
    fan_in_fan_out: shape.style === 'gpt2',
    target_modules: [...new Set(loraSites(shape).map((site) => (shape.style === 'gpt2' ? site.slice : site.slice.replace(/^.*\./, ''))))],
    inference_mode: true,
  };
  return [
    { path: 'adapter_model.safetensors', size: weights.size, chunks: () => weights.chunks() },
    plainFile('adapter_config.json', new TextEncoder().encode(`${JSON.stringify(config, null, 2)}\n`)),
  ];
}
