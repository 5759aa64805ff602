// Sliding attention of a config.json: how far it reaches back, and in which layers.

import type { Fields } from './config-fields';
import type { Family, WindowFields } from './config-families';
import type { Rope, Window } from './types';

const MAX_SIZE = 2 ** 31 - 1;
const KINDS = ['full_attention', 'sliding_attention'];

interface Sizes {
  readonly layers: number;
  readonly positions: number;
  /** Angles of the layers with a window, if they have their own. */
  readonly local: Rope | null;
}

/** Null without a window, and for one that no sequence is longer than, unless its layers have angles of their own. */
export function readWindow(f: Fields, { window }: Family, { layers, positions, local }: Sizes): Window | null {
  if (!window) return null;
  if (window.flag !== undefined && !f.flag(window.flag, false)) {
    // The size of a window that is not used may stand there.
    f.get(window.field);
    if (window.layers !== 'all' && 'from' in window.layers) f.get(window.layers.from);
    return null;
  }
  const size = f.get(window.field) === null ? null : f.size(window.field, MAX_SIZE, window.absent ?? MAX_SIZE);
  const slides = Array.from({ length: layers }, (_, layer) => layer).filter(windowLayers(f, window, layers));
  // Angles of their own, and no window: no published model has that, and the angles would be lost.
  if (size === null && local !== null && slides.length > 0) throw f.garbage(window.field, null, 'the size of the window');
  if (size === null || slides.length === 0 || (size >= positions && local === null)) return null;
  return { size, layers: slides, rope: local };
}

function windowLayers(f: Fields, { layers: rule, typed }: WindowFields, layers: number): (layer: number) => boolean {
  const byRule = rule === 'all' ? () => true : 'from' in rule ? fromLayer(f, rule) : butEvery(f, rule);
  if (!typed || !f.has('layer_types')) return byRule;
  const kinds = f.get('layer_types');
  if (!Array.isArray(kinds) || kinds.length !== layers || !kinds.every((kind) => KINDS.includes(kind as string)))
    throw f.garbage('layer_types', kinds, `a list of ${layers} times ${KINDS.map((kind) => `"${kind}"`).join(' or ')}`);
  return (layer) => kinds[layer] === 'sliding_attention';
}

function fromLayer(f: Fields, { from, absent }: { readonly from: string; readonly absent: number }): (layer: number) => boolean {
  const first = f.get(from) === 0 ? 0 : f.size(from, MAX_SIZE, absent);
  return (layer) => layer >= first;
}

function butEvery(f: Fields, { butEvery: names, absent }: { readonly butEvery: readonly string[]; readonly absent: number }) {
  const given = names.filter((name) => f.has(name)).map((name) => f.size(name, MAX_SIZE));
  const every = given[0] ?? absent;
  return (layer: number): boolean => (layer + 1) % every !== 0;
}
