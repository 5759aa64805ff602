// The frame: the few numbers that change every micro-batch. Layout equals `struct Frame` in prelude.wgsl.

import type { Extents } from './extents';
import type { BufferSpec } from './types';

export interface Frame {
  readonly extents: Extents;
  /** Tokens already in the K/V cache; 0 in training. */
  readonly past?: number;
  /** False for the first micro-batch of an optimizer step. */
  readonly accumulate?: boolean;
  /** 1 / number of targets of the whole optimizer step. */
  readonly lossScale?: number;
}

/** 28 in use; buffers are a multiple of 16. */
const FRAME_BYTES = 32;

export const frameSpec = (): BufferSpec => ({ name: 'frame', bytes: FRAME_BYTES, memory: 'inputs', kind: 'uniform' });

export function packFrame(frame: Frame): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(FRAME_BYTES));
  const { rows, targets, tokenGroups, positionGroups } = frame.extents;
  [rows, targets, tokenGroups, positionGroups, frame.past ?? 0, frame.accumulate ? 1 : 0].forEach((value, at) =>
    view.setUint32(at * 4, value, true),
  );
  view.setFloat32(24, frame.lossScale ?? 1, true);
  return new Uint8Array(view.buffer);
}
