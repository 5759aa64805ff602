// Where K and V of the tokens before lie while the model samples. No step is under way then, so they take the place of what only steps
// hold: saved activations, the residual streams of layers, gradients. What has no room there gets buffers of its own.

import { BINDING_ALIGNMENT, roundUp, type BufferSpec, type View } from '../dispatch/types';

/**
 * A view of `bytes` for each name: in one of the hosts while they have room, in their order, else in a buffer that `make` describes. Each
 * host is bound by no dispatch of sampling otherwise.
 */
export function placeCache(
  names: readonly string[],
  bytes: number,
  hosts: Iterable<BufferSpec>,
  make: (name: string) => BufferSpec,
): ReadonlyMap<string, View> {
  const room: View[] = [];
  for (const buffer of new Set(hosts)) {
    for (let offset = 0; offset + bytes <= buffer.bytes && room.length < names.length; offset += roundUp(bytes, BINDING_ALIGNMENT))
      room.push({ buffer, offset, bytes });
  }
  return new Map(names.map((name, index) => [name, room[index] ?? { buffer: make(name), offset: 0, bytes }]));
}
