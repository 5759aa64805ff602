// The full precision of weights that lie quantised on the GPU. A layer that never trained has it in the model's files; one that did has
// it here, as it was when it last left training, in a scratch file. So training a layer loses nothing to the base's 8 or 4 bits.

import { AppError } from '../base/errors';
import { piecesOf } from '../io/formats/pieces';
import { memoryScratch, type OpenScratch, type Scratch } from '../io/formats/scratch';
import { elementsOf, type ParameterRow } from '../model/types';
import type { BlockLayout } from '../plan/layout';
import type { RunPlan } from '../plan/run-plan';

type Bytes = Uint8Array<ArrayBuffer>;

/** Elements [start, end) of a tensor of the base model, in f32. */
export type ReadBase = (row: ParameterRow, start: number, end: number) => Promise<Float32Array<ArrayBuffer>>;

const sha256 = async (bytes: Bytes): Promise<string> => new Uint32Array(await crypto.subtle.digest('SHA-256', bytes)).join();

/**
 * The truth of an engine's weights, for Engine.create: `base` reads the model's files, `open` a scratch file with room for every layer that
 * may train. A run whose layers never train needs none.
 */
export const truthOf =
  (base: ReadBase, open: OpenScratch) =>
  async ({ buffers, input }: RunPlan): Promise<Truth> => {
    const layout = buffers.slots.find(({ master }) => master)?.layout;
    const scratch = layout ? await open((input.shape.layers - input.lowest) * layout.bytes) : memoryScratch();
    return new Truth(base, scratch, layout ?? buffers.blocks.get('layer.0')!.layout);
  };

export class Truth {
  readonly #base: ReadBase;
  readonly #scratch: Scratch;
  readonly #layout: BlockLayout;
  /** SHA-256 of every piece of the layers that have trained, by layer. */
  readonly #digests = new Map<number, readonly string[]>();

  /** `layout`: of a layer in f32, which is how the scratch file holds it. */
  constructor(base: ReadBase, scratch: Scratch, layout: BlockLayout) {
    this.#base = base;
    this.#scratch = scratch;
    this.#layout = layout;
  }

  /** Layers that have left training. */
  get layers(): readonly number[] {
    return [...this.#digests.keys()].sort((a, b) => a - b);
  }

  /** Bytes of a layer. */
  get layerBytes(): number {
    return this.#layout.bytes;
  }

  has(layer: number): boolean {
    return this.#digests.has(layer);
  }

  /** Takes a layer, whose bytes [start, end) `read` gives. */
  async write(layer: number, read: (start: number, end: number) => Promise<Bytes>): Promise<void> {
    this.#digests.delete(layer);
    const digests: string[] = [];
    for (const [start, end] of piecesOf(this.layerBytes / 4)) {
      const piece = await read(4 * start, 4 * end);
      digests.push(await sha256(piece));
      await this.#scratch.write(layer * this.layerBytes + 4 * start, piece);
    }
    this.#digests.set(layer, digests);
  }

  /** The bytes of a layer that has trained, piece by piece. Throws STORAGE if the file no longer holds what was written. */
  async *pieces(layer: number): AsyncGenerator<{ readonly start: number; readonly bytes: Bytes }> {
    for (const [index, [start]] of [...piecesOf(this.layerBytes / 4)].entries())
      yield { start: 4 * start, bytes: await this.#piece(layer, index) };
  }

  /** Bytes [start, end) of a layer that has trained. */
  async readLayer(layer: number, start: number, end: number): Promise<Bytes> {
    const bytes = new Uint8Array(end - start);
    for (const [index, [first, last]] of [...piecesOf(this.layerBytes / 4)].entries()) {
      const [from, to] = [Math.max(start, 4 * first), Math.min(end, 4 * last)];
      if (from < to) bytes.set((await this.#piece(layer, index)).subarray(from - 4 * first, to - 4 * first), from - start);
    }
    return bytes;
  }

  /** Elements [start, end) of a tensor: as it left training, or as the model's files have it. */
  async tensor(row: ParameterRow, start = 0, end = elementsOf(row)): Promise<Float32Array<ArrayBuffer>> {
    if (row.layer === null || !this.has(row.layer)) return this.#base(row, start, end);
    const { offset } = this.#layout.places.get(row.local)!;
    return new Float32Array((await this.readLayer(row.layer, offset + 4 * start, offset + 4 * end)).buffer);
  }

  close(): Promise<void> {
    return this.#scratch.close();
  }

  async #piece(layer: number, index: number): Promise<Bytes> {
    const [start, end] = [...piecesOf(this.layerBytes / 4)][index];
    const bytes = await this.#scratch.read(layer * this.layerBytes + 4 * start, 4 * (end - start));
    if ((await sha256(bytes)) === this.#digests.get(layer)?.[index]) return bytes;
    throw new AppError(
      'STORAGE',
      `The scratch file with the full-precision weights no longer holds layer ${layer} as it was written.`,
      'Nothing that trains it can go on. Resume from the last checkpoint, which has these weights too.',
    );
  }
}
