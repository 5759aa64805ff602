// An importance profile: norms by layer and step that a probe measured, and the p_l that follow from them. A JSON file that anybody may
// have written. Pure. The rule is the paper's (arXiv 2403.17919, section 3): p_l is the mean weight norm of layer l under LoRA over the same
// under full training.

import { AppError } from '../base/errors';
import { IMPORTANCE_SOURCES, isFingerprint, isWeight, MAX_LAYERS, type ImportanceSource, type ProfileUse } from '../config/importance';
import { isObject } from '../config/kinds';
import { fromGradientNorms, fromNormRatios, meanByLayer, withFloor } from './importance';

const FORMAT = 'lisa-studio importance';
const VERSION = 1;
/** Bytes; a profile of 100 layers and 1000 steps takes 8 MB. */
export const MAX_PROFILE_FILE = 64_000_000;
const MAX_STEPS = 10_000_000;

/** After a step of LoRA: its loss, and norms by layer, squares summed over the layer's projections. */
export interface ProbeStep {
  /** Counts from 1. */
  readonly step: number;
  readonly loss: number;
  /** ‖(α/r)·B·A‖_F */
  readonly update: readonly number[];
  readonly a: readonly number[];
  readonly b: readonly number[];
}

/** Settings that the norms depend on. */
interface ProbeSettings {
  readonly rank: number;
  readonly alpha: number;
  readonly lr: number;
  readonly seed: number;
  readonly batchSize: number;
  readonly gradAccum: number;
  readonly seqLen: number;
}

/** What a probe of LoRA measured. */
export interface ProbeNorms {
  readonly settings: ProbeSettings;
  readonly steps: readonly ProbeStep[];
  /** ‖W₀‖_F of the same matrices by layer. */
  readonly base: readonly number[];
  /** ‖W₀ + (α/r)·B·A‖_F after the last step: the paper's norm can be read so, too. */
  readonly merged: readonly number[];
  /** ‖W_t‖_F of the same matrices after each step of full training; null: not measured, and ‖W₀‖ stands in. */
  readonly full: readonly { readonly step: number; readonly loss: number; readonly norms: readonly number[] }[] | null;
}

export interface ImportanceProfile {
  readonly source: ImportanceSource;
  readonly model: { readonly name: string; readonly fingerprint: string | null; readonly layers: number };
  readonly data: { readonly name: string; readonly rows: number } | null;
  /** For `lora`. */
  readonly norms: ProbeNorms | null;
  /** Steps that were measured. */
  readonly steps: number;
  /** p_l: normalised, none below the floor. */
  readonly weights: readonly number[];
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const byLayer = <T>(layers: number, of: (layer: number) => T): T[] => Array.from({ length: layers }, (_, layer) => of(layer));

/** Mean over steps by layer, of LoRA's updates and of what they are divided by. */
export function meanNorms({ steps, base, full }: ProbeNorms): { readonly lora: number[]; readonly weights: number[] } {
  return {
    lora: byLayer(base.length, (layer) => mean(steps.map(({ update }) => update[layer]))),
    weights: byLayer(base.length, (layer) => (full ? mean(full.map(({ norms }) => norms[layer])) : base[layer])),
  };
}

/** p_l of a probe. Throws CONFIG_INVALID if no layer has moved. */
export function probeWeights(norms: ProbeNorms): number[] {
  const { lora, weights } = meanNorms(norms);
  if (!lora.some((norm) => norm > 0))
    throw new AppError('CONFIG_INVALID', 'No adapter has moved: all LoRA norms are zero.', 'Use more steps or a higher learning rate.');
  return withFloor(fromNormRatios(lora, weights));
}

/** The largest relative difference between ‖W_t‖ under full training and ‖W₀‖, which stands in for it elsewhere; null: not measured. */
export function standInError(norms: ProbeNorms): number | null {
  if (!norms.full) return null;
  const { weights } = meanNorms(norms);
  return Math.max(...weights.map((norm, layer) => Math.abs(norm / norms.base[layer] - 1)));
}

/**
 * p_l by how far a finished run moved each layer: the mean over its periods of ‖ΔW‖/‖W‖. A layer that it never drew counts as the mean of the
 * others. Throws CONFIG_INVALID if nothing was measured.
 */
export function movementWeights(
  layers: number,
  updates: readonly { readonly layers: readonly { layer: number; change: number }[] }[],
): number[] {
  const means = meanByLayer(
    updates.map((period) => byLayer(layers, (layer) => period.layers.find((each) => each.layer === layer)?.change ?? null)),
  );
  if (!means.some((of) => of !== null && of > 0))
    throw new AppError(
      'CONFIG_INVALID',
      'The run measured no movement of any layer.',
      'Train with --measure-updates on and --method lisa.',
    );
  return withFloor(fromGradientNorms(means));
}

/** What a run takes from it. */
export const useOf = ({ source, model, steps, weights }: ImportanceProfile): ProfileUse => ({
  source,
  fingerprint: model.fingerprint,
  steps,
  weights,
});

export function writeProfile(profile: ImportanceProfile): string {
  const { norms, weights, ...facts } = profile;
  const rule =
    norms === null
      ? {}
      : {
          denominator: norms.full ? 'mean over steps of the norm under full training' : 'norm of the base, standing in for full training',
          standInError: standInError(norms),
        };
  return `${JSON.stringify({ format: FORMAT, version: VERSION, ...facts, ...rule, weights, norms }, null, 1)}\n`;
}

/** Throws CONFIG_INVALID with what is wrong. `name`: the file's, for the message. */
export function readProfile(text: string, name: string): ImportanceProfile {
  const refuse = (detail: string): never => {
    throw new AppError('CONFIG_INVALID', `${name}: ${detail}`, 'Give a file that npm run importance or this page has written.');
  };
  if (text.length > MAX_PROFILE_FILE) refuse('This is too large for an importance profile.');
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    refuse('This is not valid JSON.');
  }
  if (!isObject(json) || json.format !== FORMAT) return refuse('This is not an importance profile.');
  if (json.version !== VERSION) refuse('This importance profile was written by another version.');
  const reader = new Reader(refuse);
  const source = IMPORTANCE_SOURCES.find((known) => known === json.source) ?? refuse('Its source is not known.');
  const model = reader.object(json.model, 'model');
  const layers = reader.count(model.layers, 'model.layers', 1, MAX_LAYERS);
  const { fingerprint } = model;
  if (source === 'painted' ? fingerprint !== null : !isFingerprint(fingerprint)) refuse('model.fingerprint is not a fingerprint.');
  const data = json.data === null ? null : reader.object(json.data, 'data');
  const weights = reader.norms(json.weights, 'weights', layers);
  if (!weights.some((weight) => weight > 0)) refuse('All its weights are zero.');
  const norms = json.norms === null ? null : reader.probe(json.norms, layers);
  if ((source === 'lora') !== (norms !== null)) refuse('Its norms do not go with its source.');
  return {
    source,
    model: { name: reader.text(model.name, 'model.name'), fingerprint: fingerprint as string | null, layers },
    data: data && { name: reader.text(data.name, 'data.name'), rows: reader.count(data.rows, 'data.rows') },
    norms,
    steps: reader.count(json.steps, 'steps', 0, MAX_STEPS),
    weights,
  };
}

/** Checks parts of a profile, and names the first that cannot be. */
class Reader {
  readonly #refuse: (detail: string) => never;

  constructor(refuse: (detail: string) => never) {
    this.#refuse = refuse;
  }

  object(value: unknown, path: string): Readonly<Record<string, unknown>> {
    return isObject(value) ? value : this.#refuse(`${path} is not an object.`);
  }

  text(value: unknown, path: string): string {
    return typeof value === 'string' && value.length <= 4096 ? value : this.#refuse(`${path} is not a text.`);
  }

  /** JSON has no NaN and no infinity; what stands for one is not a number here. */
  number(value: unknown, path: string): number {
    return typeof value === 'number' && Number.isFinite(value) ? value : this.#refuse(`${path} is not a number.`);
  }

  count(value: unknown, path: string, least = 0, most = Number.MAX_SAFE_INTEGER): number {
    const count = this.number(value, path);
    return Number.isInteger(count) && count >= least && count <= most
      ? count
      : this.#refuse(`${path} is not a whole number from ${least} to ${most}.`);
  }

  list(value: unknown, path: string): readonly unknown[] {
    return Array.isArray(value) ? (value as unknown[]) : this.#refuse(`${path} is not a list.`);
  }

  /** One number from 0 for each layer. */
  norms(value: unknown, path: string, layers: number): number[] {
    const list = this.list(value, path);
    if (list.length !== layers) this.#refuse(`${path} has ${list.length} numbers for ${layers} layers.`);
    const at = list.findIndex((each) => !isWeight(each));
    return at < 0 ? (list as number[]) : this.#refuse(`${path}[${at}] is not a number from 0.`);
  }

  probe(value: unknown, layers: number): ProbeNorms {
    const json = this.object(value, 'norms');
    const settings = this.object(json.settings, 'norms.settings');
    const setting = (key: keyof ProbeSettings): number => this.number(settings[key], `norms.settings.${key}`);
    const steps = this.list(json.steps, 'norms.steps').map((each, at): ProbeStep => {
      const path = `norms.steps[${at}]`;
      const step = this.object(each, path);
      const of = (key: 'update' | 'a' | 'b'): number[] => this.norms(step[key], `${path}.${key}`, layers);
      return {
        step: this.count(step.step, `${path}.step`, 1),
        loss: this.number(step.loss, `${path}.loss`),
        update: of('update'),
        a: of('a'),
        b: of('b'),
      };
    });
    if (steps.length === 0) this.#refuse('norms.steps is empty.');
    return {
      settings: {
        rank: setting('rank'),
        alpha: setting('alpha'),
        lr: setting('lr'),
        seed: setting('seed'),
        batchSize: setting('batchSize'),
        gradAccum: setting('gradAccum'),
        seqLen: setting('seqLen'),
      },
      steps,
      base: this.norms(json.base, 'norms.base', layers),
      merged: this.norms(json.merged, 'norms.merged', layers),
      full:
        json.full === null
          ? null
          : this.list(json.full, 'norms.full').map((each, at) => {
              const path = `norms.full[${at}]`;
              const step = this.object(each, path);
              return {
                step: this.count(step.step, `${path}.step`, 1),
                loss: this.number(step.loss, `${path}.loss`),
                norms: this.norms(step.norms, `${path}.norms`, layers),
              };
            }),
    };
  }
}
