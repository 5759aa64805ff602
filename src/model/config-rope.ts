// Rotary embeddings of a config.json. Older files have rope_theta beside rope_scaling {type, factor, ...}; newer ones put
// all into rope_parameters {rope_theta, rope_type, factor, ...}. Both may stand in one file if they say the same.
// Scalings that depend on the length (dynamic, longrope) or scale attention too (yarn) are refused.

import { isEmpty, type Fields } from './config-fields';
import type { Rope, RopeScaling } from './types';

const MAX_THETA = 1e15;
const MAX_FACTOR = 1e6;
const MAX_POSITIONS = 2 ** 31 - 1;

export function readRope(f: Fields): Rope {
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
    const scaling = readScaling(inner);
    if (typed) scalings.push({ name, value: scaling });
    inner.only('partial_rotary_factor', [1], 1);
    // Every other entry would change the angles, an object being a set of parameters for one kind of layer.
    for (const [key, value] of inner.unread()) if (!isEmpty(value)) throw inner.unsupported(key, value, 'absent');
  }
  const [base] = bases;
  const otherBase = bases.find(({ value }) => value !== base.value);
  if (otherBase) throw f.garbage(otherBase.name, otherBase.value, `the same number as ${base.name} (${base.value})`);
  const [scaling] = scalings;
  const otherScaling = scalings.find(({ value }) => JSON.stringify(value) !== JSON.stringify(scaling.value));
  if (otherScaling) throw f.garbage(otherScaling.name, f.get(otherScaling.name), `the same scaling as in ${scaling.name}`);
  return { theta: base?.value ?? 10_000, scaling: scaling?.value ?? null };
}

function readScaling(f: Fields): RopeScaling | null {
  const names = ['rope_type', 'type'].filter((name) => f.has(name));
  if (names.length === 0 && f.has('factor')) throw f.garbage('rope_type', undefined, '"default", "linear" or "llama3"');
  const [type = 'default', other = type] = names.map((name) => f.only(name, ['default', 'linear', 'llama3'], 'default'));
  if (other !== type) throw f.garbage('type', other, `the same as rope_type ("${type}")`);
  // The length before scaling; only llama3 computes with it.
  const original =
    f.has('original_max_position_embeddings') || type === 'llama3' ? f.size('original_max_position_embeddings', MAX_POSITIONS) : 0;
  if (type === 'default') return null;
  const factor = f.number('factor', MAX_FACTOR);
  if (type === 'linear') return { type, factor };
  const low = f.number('low_freq_factor', MAX_FACTOR);
  const high = f.number('high_freq_factor', MAX_FACTOR);
  if (high <= low) throw f.garbage('high_freq_factor', high, `a number above low_freq_factor (${low})`);
  return { type, factor, lowFreqFactor: low, highFreqFactor: high, originalPositions: original };
}
