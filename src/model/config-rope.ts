// Rotary embeddings of a config.json. Older files have rope_theta beside rope_scaling {type, factor, ...}; newer ones put
// all into rope_parameters {rope_theta, rope_type, factor, ...}. Both may stand in one file if they say the same.
// Scalings that depend on the length (dynamic, longrope) are refused.

import { isEmpty, type Fields } from './config-fields';
import type { Family } from './config-families';
import type { Rope, RopeScaling } from './types';

const DEFAULT_BASE = 10_000;
const MAX_THETA = 1e15;
const MAX_FACTOR = 1e6;
const MAX_POSITIONS = 2 ** 31 - 1;

/** The angles of most layers, and those of the layers with a window if the family gives these a base of their own. */
export function readRopes(f: Fields, { ropeBase, window }: Family): { readonly rope: Rope; readonly local: Rope | null } {
  const base = window?.base;
  if (!base) return { rope: readRope(f, ropeBase), local: null };
  const kinds = f.object('rope_parameters');
  const [full, sliding] = ['full_attention', 'sliding_attention'].map((kind) => kinds?.object(kind) ?? null);
  const theta = f.number(base.field, MAX_THETA, base.absent);
  if (!kinds || !full || !sliding) return { rope: readRope(f, ropeBase), local: { theta, scaling: null } };
  // As newer files have it: a set of parameters for each kind of layer, and nothing beside them.
  for (const [name, value] of kinds.unread()) throw kinds.unsupported(name, value, 'absent');
  const sets = { rope: readSet(full, ropeBase), local: readSet(sliding, theta) };
  const agree = (name: string, set: Fields, used: Rope): void => {
    if (f.has(name) && f.get(name) !== used.theta)
      throw f.garbage(name, f.get(name), `the same number as ${set.path('rope_theta')} (${used.theta})`);
  };
  agree('rope_theta', full, sets.rope);
  agree(base.field, sliding, sets.local);
  return sets;
}

/** One set of parameters, with everything in it. */
function readSet(f: Fields, base = DEFAULT_BASE): Rope {
  const theta = f.has('rope_theta') ? f.number('rope_theta', MAX_THETA) : base;
  return { theta, scaling: readWhole(f) };
}

/** A scaling and nothing else; the base has been read. */
function readWhole(f: Fields): RopeScaling | null {
  const scaling = readScaling(f);
  f.only('partial_rotary_factor', [1], 1);
  // Every other entry would change the angles.
  for (const [name, value] of f.unread()) if (!isEmpty(value)) throw f.unsupported(name, value, 'absent');
  return scaling;
}

function readRope(f: Fields, absent = DEFAULT_BASE): Rope {
  const bases: { readonly name: string; readonly value: number }[] = [];
  const scalings: { readonly name: string; readonly value: RopeScaling | null }[] = [];
  const takeBase = (from: Fields): void => {
    if (from.has('rope_theta')) bases.push({ name: from.path('rope_theta'), value: from.number('rope_theta', MAX_THETA) });
  };
  takeBase(f);
  for (const name of ['rope_parameters', 'rope_scaling']) {
    const inner = f.object(name);
    if (!inner) continue;
    const typed = inner.has('rope_type') || inner.has('type');
    takeBase(inner);
    const scaling = readWhole(inner);
    if (typed) scalings.push({ name, value: scaling });
  }
  const [base] = bases;
  const otherBase = bases.find(({ value }) => value !== base.value);
  if (otherBase) throw f.garbage(otherBase.name, otherBase.value, `the same number as ${base.name} (${base.value})`);
  const [scaling] = scalings;
  const otherScaling = scalings.find(({ value }) => JSON.stringify(value) !== JSON.stringify(scaling.value));
  if (otherScaling) throw f.garbage(otherScaling.name, f.get(otherScaling.name), `the same scaling as in ${scaling.name}`);
  return { theta: base?.value ?? absent, scaling: scaling?.value ?? null };
}

function readScaling(f: Fields): RopeScaling | null {
  const names = ['rope_type', 'type'].filter((name) => f.has(name));
  if (names.length === 0 && f.has('factor')) throw f.garbage('rope_type', undefined, '"default", "linear", "llama3" or "yarn"');
  const [type = 'default', other = type] = names.map((name) => f.only(name, ['default', 'linear', 'llama3', 'yarn'], 'default'));
  if (other !== type) throw f.garbage('type', other, `the same as rope_type ("${type}")`);
  // The length before scaling; llama3 and yarn compute with it.
  const original =
    f.has('original_max_position_embeddings') || type === 'llama3' || type === 'yarn'
      ? f.size('original_max_position_embeddings', MAX_POSITIONS)
      : 0;
  if (type === 'default') return null;
  const factor = f.number('factor', MAX_FACTOR);
  if (type === 'linear') return { type, factor };
  if (type === 'yarn') return readYarn(f, factor, original);
  const low = f.number('low_freq_factor', MAX_FACTOR);
  const high = f.number('high_freq_factor', MAX_FACTOR);
  if (high <= low) throw f.garbage('high_freq_factor', high, `a number above low_freq_factor (${low})`);
  return { type, factor, lowFreqFactor: low, highFreqFactor: high, originalPositions: original };
}

/** Defaults are those of modeling_rope_utils. Its variants for other models (mscale, truncate) are refused as unread fields. */
function readYarn(f: Fields, factor: number, originalPositions: number): RopeScaling {
  const betaFast = f.number('beta_fast', MAX_FACTOR, 32);
  const betaSlow = f.number('beta_slow', MAX_FACTOR, 1);
  if (betaFast <= betaSlow) throw f.garbage('beta_fast', betaFast, `a number above beta_slow (${betaSlow})`);
  const attentionFactor = f.number('attention_factor', MAX_FACTOR, factor <= 1 ? 1 : 0.1 * Math.log(factor) + 1);
  return { type: 'yarn', factor, betaFast, betaSlow, originalPositions, attentionFactor };
}
