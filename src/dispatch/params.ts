// Static parameters of all dispatches in one uniform buffer: 256-byte slots, equal contents share a slot.

import { AppError } from '../base/errors';
import type { BufferSpec, Dispatch, Segment } from './types';
import { BINDING_ALIGNMENT } from './types';

export interface ParamTable {
  readonly spec: BufferSpec;
  readonly data: Uint8Array<ArrayBuffer>;
  readonly slots: number;
  /** Byte offset of a dispatch's slot. */
  offset(dispatch: Dispatch): number;
}

/** Keys of contents that were asked for before: a plan asks several times for each. */
const keys = new WeakMap<Uint8Array, string>();

function contentKey(params: Uint8Array): string {
  let key = keys.get(params);
  if (key === undefined)
    keys.set(params, (key = String.fromCharCode(...new Uint16Array(params.buffer, params.byteOffset, params.length / 2))));
  return key;
}

/** How many slots the parameters of these segments take. */
export const distinctParams = (segments: readonly Segment[]): number =>
  new Set(segments.flatMap(({ dispatches }) => dispatches.map(({ params }) => contentKey(params)))).size;

/** `omitted`: slots of segments that are not built (PlanInput.abridged). `least`: slots that the table has in any case. */
export function buildParamTable(segments: Iterable<Segment>, { omitted = 0, least = 1 } = {}): ParamTable {
  const slots = new Map<string, number>();
  const contents: Uint8Array[] = [];
  for (const segment of segments) {
    for (const { params } of segment.dispatches) {
      const key = contentKey(params);
      if (slots.has(key)) continue;
      slots.set(key, contents.length);
      contents.push(params);
    }
  }
  const count = Math.max(1, contents.length + omitted, least);
  const data = new Uint8Array(count * BINDING_ALIGNMENT);
  contents.forEach((params, slot) => data.set(params, slot * BINDING_ALIGNMENT));
  return {
    spec: { name: 'params', bytes: data.byteLength, memory: 'inputs', kind: 'uniform' },
    data,
    slots: count,
    offset(dispatch) {
      const slot = slots.get(contentKey(dispatch.params));
      if (slot === undefined) throw new AppError('INTERNAL', `Dispatch ${dispatch.label} is not in the plan's parameter table.`, '');
      return slot * BINDING_ALIGNMENT;
    },
  };
}
