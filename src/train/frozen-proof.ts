// Proves that frozen weights are bit for bit unchanged. It compares the SHA-256 of every piece of every tensor on the GPU now with that of
// the piece as it was loaded, as a checkpoint held it, or as it was when its layer last left training.

import type { PolicyName } from '../config/policies';
import type { TensorPiece } from '../io/sources/model-files';
import { piecesOf } from '../io/formats/pieces';
import { isQuantised } from '../dispatch/types';
import { elementsOf, type BlockName, type ParameterRow } from '../model/types';
import type { Engine } from '../engine/engine';

async function digest(data: Float32Array<ArrayBuffer>): Promise<string> {
  const words = new Uint32Array(await crypto.subtle.digest('SHA-256', data));
  return words.join();
}

export class FrozenProof {
  readonly #engine: Engine;
  /** Keys are the tensor's name and the piece's first element. */
  readonly #digests = new Map<string, string>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Records a piece of a tensor that was uploaded to the GPU. What the GPU has quantised is read back. */
  async notePiece({ row, start, data }: TensorPiece): Promise<void> {
    const stored = this.#quantised(row) ? await this.#engine.readStored(row, start, start + data.length) : data;
    this.#digests.set(`${row.name} ${start}`, await digest(stored));
  }

  /**
   * Records all tensors of a block as they will be stored once their layer leaves. Reads them from the GPU, which must be idle. Only the GPU
   * can tell how a layer is quantised, so one in training is recorded when it has left (noteLeft).
   */
  async noteBlock(name: BlockName): Promise<void> {
    for await (const { row, start, data } of this.#read(name)) {
      const noted = this.#engine.roundedAsStored(row, data);
      this.#digests.set(`${row.name} ${start}`, await digest(noted));
    }
  }

  /** Records what is quantised of a layer whose weights are in its block again. */
  async noteLeft(layer: number): Promise<void> {
    for await (const { row, start, data } of this.#read(`layer.${layer}`))
      if (this.#quantised(row)) this.#digests.set(`${row.name} ${start}`, await digest(data));
  }

  /** The blocks among these in which any bit differs. Reads the tensors back one at a time; the GPU must be idle. */
  async changed(names: readonly BlockName[]): Promise<BlockName[]> {
    const changed: BlockName[] = [];
    for (const name of names) {
      let same = true;
      for await (const { row, start, data } of this.#read(name))
        same &&= (await digest(data)) === this.#digests.get(`${row.name} ${start}`);
      if (!same) changed.push(name);
    }
    return changed;
  }

  async *#read(name: BlockName): AsyncGenerator<TensorPiece> {
    for (const row of this.#engine.plan.buffers.blocks.get(name)!.rows) {
      for (const [start, end] of piecesOf(elementsOf(row))) yield { row, start, data: await this.#stored(row, start, end) };
    }
  }

  /** What is quantised as the words that the GPU holds, everything else as values. */
  #stored(row: ParameterRow, start: number, end: number): Promise<Float32Array<ArrayBuffer>> {
    return this.#quantised(row) ? this.#engine.readStored(row, start, end) : this.#engine.readTensor(row, start, end);
  }

  #quantised(row: ParameterRow): boolean {
    return isQuantised(this.#engine.storedAs(row));
  }
}

/**
 * Blocks that do not train while these layers do, and of what is drawn like a layer the `drawn`, from the bottom up. With LoRA that is
 * every block, because only adapters train.
 */
export function frozenBlocks({ plan }: Engine, activeLayers: readonly number[], drawn: readonly PolicyName[] = []): BlockName[] {
  const { blocks, alwaysOn, adapters } = plan.buffers;
  const training = new Set<string>([
    ...[...alwaysOn.keys()].filter((name) => !plan.input.sampled.includes(name) || drawn.includes(name)),
    ...(adapters.length > 0 ? [] : activeLayers.map((layer) => `layer.${layer}`)),
  ]);
  return [...blocks.keys()].filter((name) => !training.has(name));
}
