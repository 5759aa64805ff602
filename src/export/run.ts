// The tuned model of a session as files: merged weights in Hugging Face layout with a model card and, for LoRA, the adapter.

import { exportModel, type SurvivalReport } from './folder';
import { plainFile, type ExportFile } from '../io/formats/export-file';
import { writeSafetensors } from '../io/formats/safetensors';
import type { Dtype } from '../model/types';
import { loraSites } from '../engine/lora';
import { declaredEnding } from './run-ending';
import { modelCard } from './model-card';
import type { Session } from '../train/session';
import { tunedTensor } from '../train/tuned';

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
