// What a run takes from an importance profile: p_l and where they come from. Profiles themselves are in lisa/profile.ts. No name of a
// model or of data is in it, since it may enter a link.

import { bad, good, refused, type Checked, type OwnKind } from './field';
import { isObject, last, onlyKeys, readJson } from './kinds';

/** Layers that a model may have. */
export const MAX_LAYERS = 1024;

/**
 * lora: norms of LoRA updates over norms of the weights, the paper's rule. updates: how far a LISA run moved each layer. gradients: mean
 * norms of gradients. painted: by a person.
 */
export const IMPORTANCE_SOURCES = ['lora', 'updates', 'gradients', 'painted'] as const;
export type ImportanceSource = (typeof IMPORTANCE_SOURCES)[number];

export const SOURCE_WORDS: Readonly<Record<ImportanceSource, string>> = {
  lora: 'LoRA norms',
  updates: 'how far layers moved',
  gradients: 'gradient norms',
  painted: 'weights set by hand',
};

export interface ProfileUse {
  readonly source: ImportanceSource;
  /** Of the model that was measured: its shape and weights (train/fingerprint.ts). Null where a person painted the weights. */
  readonly fingerprint: string | null;
  /** Steps that were measured; 0 where nothing was. */
  readonly steps: number;
  /** p_l, one per layer, the lowest layer first. Not all zero. */
  readonly weights: readonly number[];
}

export const isWeight = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value) && value >= 0;

export const isFingerprint = (value: unknown): value is string => typeof value === 'string' && /^[0-9a-f]{16}$/.test(value);

const KEYS = ['source', 'fingerprint', 'steps', 'weights'];
const MAX_STEPS = 10_000_000;

function checkUse(value: unknown): Checked<ProfileUse> {
  const expected = bad(
    `a profile of importance: its source, fingerprint and steps, and 1 to ${MAX_LAYERS} weights from 0, not all of them 0`,
  );
  if (!isObject(value) || !onlyKeys(value, KEYS)) return expected;
  const { fingerprint, steps } = value;
  const source = IMPORTANCE_SOURCES.find((known) => known === value.source);
  const weights: readonly unknown[] = Array.isArray(value.weights) ? value.weights : [];
  if (!source || weights.length < 1 || weights.length > MAX_LAYERS || !weights.every(isWeight) || !weights.some((w) => w > 0))
    return expected;
  if (!(source === 'painted' ? fingerprint === null : isFingerprint(fingerprint))) return expected;
  if (typeof steps !== 'number' || !Number.isSafeInteger(steps) || steps < 0 || steps > MAX_STEPS) return expected;
  return good({ source, fingerprint: fingerprint as string | null, steps, weights: weights.map((w) => (w === 0 ? 0 : w)) });
}

/** On the command line the option names a file, which finetune reads and hands on as this JSON (cli/finetune/profile.ts). */
export const profileUse: OwnKind<ProfileUse> = {
  type: 'own',
  placeholder: 'file',
  check: checkUse,
  fault: ({ weights }, model) =>
    model && model.layers !== Infinity && weights.length !== model.layers
      ? {
          problem: `The importance profile has ${weights.length} layers, the model has ${model.layers}.`,
          remedy: 'Measure the importance of this model, or remove the profile.',
        }
      : null,
  parse: (texts) => {
    const checked = checkUse(readJson(last(texts)));
    return checked.ok ? checked : refused('This is not an importance profile.', 'Give a file that npm run importance has written.');
  },
  toFlag: (use) => [JSON.stringify(use)],
  toLink: (use) => JSON.stringify(use),
  fromLink: readJson,
};

/** The weights by which layers are drawn, of samplers that use some; null: all equal. */
export const layerWeights = (config: {
  readonly lisaProfile: ProfileUse | null;
  readonly lisaWeights: readonly number[] | null;
}): readonly number[] | null => config.lisaProfile?.weights ?? config.lisaWeights;
