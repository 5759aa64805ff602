// The waterfall in words: what each lever does, what it costs, and how LISA compares with LoRA. Pure.

import { describePolicies, describeRows, policiesOf } from '../../config/policies';
import type { RunConfig } from '../../config/run-config';
import type { Lever, Waterfall, WaterfallStep } from '../../plan/waterfall';
import { formatBytes, formatLarge, formatList, plural } from '../format';
import { METHOD_NAMES } from '../labels';
import { difference } from '../receipt';

const BITS: Readonly<Record<RunConfig['weightStorage'], string>> = {
  f32: 'in float32',
  stored: 'as stored, in 16 bits',
  int8: 'in 8 bits',
  int4: 'in 4 bits',
};

const AGAIN: Readonly<Record<RunConfig['recompute'], string>> = {
  off: 'Nothing computed again',
  mlp: 'Feed-forward computed again in the backward pass',
  layer: 'Layers computed again in the backward pass',
};

export function leverName(lever: Lever, config: RunConfig, tied: boolean): string {
  switch (lever) {
    case 'sampling':
      return config.method === 'lora' ? `Adapters of rank ${config.loraRank}` : `${plural(config.lisaLayers, 'layer')} trained at a time`;
    case 'policies': {
      const words = describePolicies(config, tied);
      return words.charAt(0).toUpperCase() + words.slice(1);
    }
    case 'recomputation':
      return AGAIN[config.recompute];
    case 'precision':
      return `Weights that do not train ${BITS[config.weightStorage]}`;
    case 'state':
      return 'm and v of AdamW in 8 bits';
    case 'clipping':
      return config.gradAccum === 1 ? 'One gradient for all layers' : 'Clipping layer by layer';
    case 'reuse':
      return 'Samples use memory that only steps need';
  }
}

/** Costs on the built-in task were measured: docs/decisions.md. */
function quality(lever: Lever, config: RunConfig, tied: boolean): string {
  switch (lever) {
    case 'sampling':
      return config.method === 'lora' ? 'weights change by low-rank matrices only' : 'every layer trains in its turn';
    case 'policies': {
      const { embedding, head } = policiesOf(config, tied);
      if (embedding === 'sampled' || head === 'sampled') return '0.03 more held-out loss on the built-in task';
      if (embedding === 'rows' || head === 'rows') return 'rows of other tokens stay as they are';
      return 'what is frozen does not learn';
    }
    case 'recomputation':
      return 'same bits';
    case 'precision':
      return config.weightStorage === 'stored'
        ? 'layers that leave are rounded to 16 bits'
        : 'a coarser frozen model; updates keep full precision';
    case 'state':
      return 'updates differ by about 3 %';
    case 'clipping':
      return 'each layer is clipped by its own norm';
    case 'reuse':
      return 'nothing';
  }
}

/** "same bits; 1.27 × the work of a step". */
export function priceOf({ lever, saves, work }: WaterfallStep, config: RunConfig, tied: boolean): string {
  if (saves <= 0) return 'saves nothing here';
  const ratio = Math.abs(work - 1) < 0.005 ? null : `${work.toFixed(2)} × the work of a step`;
  return [quality(lever, config, tied), ratio].filter((part) => part !== null).join('; ');
}

/** Why a number is not what one would think, and what saves nothing. */
export function waterfallNotes({ full, fullAlike, rows, keptWider }: Waterfall): string[] {
  const notes: string[] = [];
  if (formatBytes(fullAlike) !== formatBytes(full))
    notes.push(
      `Full fine-tuning is ${formatBytes(full)} here and ${formatBytes(fullAlike)} in the bars: the bars apply this run’s settings to it and let samples use memory that only steps need; here both come later, step by step.`,
    );
  if (rows) notes.push(`Embedding and head by rows: ${describeRows(rows.trained, rows.all)}.`);
  if (keptWider.length > 0)
    notes.push(
      `${formatList(keptWider)} ${keptWider.length === 1 ? 'stays' : 'stay'} in float32: rows that are not whole groups of 32 cannot be quantised.`,
    );
  return notes;
}

/** One line; null where there is nothing to compare. */
export function whyNotLora({ run, trainable, rival }: Waterfall, { loraRank }: RunConfig): string | null {
  if (!rival) return null;
  const [lisa, lora] = rival.method === 'lora' ? [{ bytes: run, trainable }, rival] : [rival, { bytes: run, trainable }];
  const than = difference(lisa.bytes, lora.bytes);
  return (
    `Why not LoRA? At equal precision and recomputation, ${METHOD_NAMES.lisa} needs ${formatBytes(lisa.bytes)} (${than}), and LoRA of rank ${loraRank} needs ${formatBytes(lora.bytes)}. ` +
    `LISA trains ${formatLarge(lisa.trainable)} parameters per step, LoRA ${formatLarge(lora.trainable)}; LISA changes whole layers and ends as a plain model, LoRA adds low-rank matrices beside them.`
  );
}
