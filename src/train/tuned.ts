// Reads the tuned model, tensor by tensor, in full precision: what is exported.

import { loraSites, mergeAdapter } from '../engine/lora';
import type { Engine } from '../engine/engine';
import type { ParameterRow } from '../model/types';
import type { RunInputs } from './prepare';

interface Tuned {
  readonly engine: Engine;
  readonly inputs: RunInputs;
}

type ReadTensor = (row: ParameterRow, start?: number, end?: number) => Promise<Float32Array<ArrayBuffer>>;

/** Reads a tensor of the tuned model, or a piece of it; LoRA's adapters are merged into it. */
export const tunedTensor = (session: Tuned): ReadTensor =>
  session.inputs.config.method === 'lora' ? (...part) => mergedTensor(session, ...part) : (...part) => session.engine.readTensor(...part);

async function mergedTensor({ engine, inputs }: Tuned, row: ParameterRow, start = 0, end?: number): Promise<Float32Array<ArrayBuffer>> {
  const weight = await engine.readTensor(row, start, end);
  const site = row.layer === null ? undefined : loraSites(inputs.files.shape).find((s) => s.weight === row.local);
  if (!site || row.layer === null) return weight;
  const { loraRank, loraAlpha } = inputs.config;
  const [a, b] = [await engine.readAdapter(row.layer, site.a), await engine.readAdapter(row.layer, site.b)];
  return mergeAdapter(weight, site, a, b, loraRank, loraAlpha / loraRank, start);
}
