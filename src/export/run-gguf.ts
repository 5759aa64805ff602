// The tuned model of a session as GGUF: merged, and for LoRA also the adapter.

import type { Tokenizer } from '../data/tokenize/tokenizer';
import type { ExportFile } from '../io/formats/export-file';
import type { GgufType } from '../io/formats/gguf';
import { exportGguf, exportGgufAdapter, ggufKeys } from './gguf/export';
import type { GgufSpecials } from './gguf/tokenizer';
import { loraSites } from '../engine/lora';
import type { RunInputs } from '../train/prepare';
import type { Session } from '../train/session';
import { tunedTensor } from '../train/tuned';

/** model.gguf and, for LoRA, adapter.gguf. Throws as checkGguf; tensors are read from the GPU as the files are written, one at a time. */
export async function exportRunGguf(session: Session, type: GgufType): Promise<readonly ExportFile[]> {
  const { engine, inputs } = session;
  const { config, files } = inputs;
  const model = await exportGguf({
    files,
    tensor: tunedTensor(session),
    type,
    specials: ggufSpecials(inputs.tokenizer, stopIdsOf(inputs)),
  });
  const made: ExportFile[] = [{ path: 'model.gguf', size: model.size, chunks: () => model.chunks() }];
  if (config.method !== 'lora') return made;
  const sites = engine.plan.buffers.adapters.flatMap((_, layer) =>
    loraSites(files.shape).map(({ op, slice, out, a, b }) => ({
      layer,
      part: slice,
      inputs: op.in,
      outputs: out,
      a: () => engine.readAdapter(layer, a),
      b: () => engine.readAdapter(layer, b),
    })),
  );
  const adapter = exportGgufAdapter(files, sites, config.loraRank, config.loraAlpha);
  return [...made, { path: 'adapter.gguf', size: adapter.size, chunks: () => adapter.chunks() }];
}

/** Throws MODEL_UNSUPPORTED or TOKENIZER with the reason if GGUF cannot carry the model. Needs neither a GPU nor training. */
export async function checkGguf(inputs: Pick<RunInputs, 'files' | 'tokenizer' | 'dataset'>): Promise<void> {
  await ggufKeys(inputs.files, ggufSpecials(inputs.tokenizer, stopIdsOf(inputs)));
}

const stopIdsOf = ({ dataset }: Pick<RunInputs, 'dataset'>): readonly number[] => dataset.summary.ending.stopIds;

/** `stopIds`: the run's (Ending); by default those that the tokenizer's files name. */
export function ggufSpecials(tokenizer: Tokenizer, stopIds: readonly number[] = tokenizer.eosIds): GgufSpecials {
  const { bosId, addBos, chatTemplate } = tokenizer;
  const { pad_token: pad } = tokenizer.specialTexts;
  const padIds = pad === undefined ? [] : tokenizer.encode(pad);
  return { bosId, eosIds: stopIds, padId: padIds.length === 1 ? padIds[0] : null, addBos, chatTemplate };
}
