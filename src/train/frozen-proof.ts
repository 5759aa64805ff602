// Proof that frozen weights are bit for bit what they were: a SHA-256 of every tensor as it was loaded, as a checkpoint
// held it, or as it was when its layer last left training, against the tensor on the GPU now.

import type { Block } from '../plan/buffers';
import type { BlockName, ParameterRow } from '../model/types';
import type { Engine } from './engine';

type Bytes = Uint8Array<ArrayBuffer>;

async function digest(bytes: Bytes): Promise<string> {
  const words = new Uint32Array(await crypto.subtle.digest('SHA-256', bytes));
  return words.join();
}

/** The tensors of a block by name; what lies between them belongs to none. */
function* tensorsOf({ layout, rows }: Block, bytes: Bytes): Generator<[string, Bytes]> {
  for (const row of rows) {
    const { offset, elements } = layout.places.get(row.local)!;
    yield [row.name, bytes.subarray(offset, offset + 4 * elements)];
  }
}

export class FrozenProof {
  readonly #engine: Engine;
  /** By tensor name. */
  readonly #digests = new Map<string, string>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** A tensor as it goes to the GPU. */
  async noteTensor({ name }: ParameterRow, data: Float32Array<ArrayBuffer>): Promise<void> {
    this.#digests.set(name, await digest(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)));
  }

  /** All tensors of a block, from the bytes of its buffer. */
  async noteBlock(name: BlockName, bytes: Bytes): Promise<void> {
    for (const [tensor, part] of tensorsOf(this.#block(name), bytes)) this.#digests.set(tensor, await digest(part));
  }

  /** Those of the blocks in which any bit differs. Reads them back one at a time; the GPU must be idle. */
  async changed(names: readonly BlockName[]): Promise<BlockName[]> {
    const changed: BlockName[] = [];
    for (const name of names) {
      const block = this.#block(name);
      let same = true;
      for (const [tensor, part] of tensorsOf(block, await this.#engine.readWhole(block.spec)))
        same &&= (await digest(part)) === this.#digests.get(tensor);
      if (!same) changed.push(name);
    }
    return changed;
  }

  #block(name: BlockName): Block {
    return this.#engine.plan.buffers.blocks.get(name)!;
  }
}

/** Blocks that do not train while these layers do, from the bottom up. LoRA's adapters train, and no block. */
export function frozenBlocks({ plan }: Engine, activeLayers: readonly number[]): BlockName[] {
  const { blocks, edges, adapters } = plan.buffers;
  const training = new Set<string>([...edges.keys(), ...(adapters.length > 0 ? [] : activeLayers.map((layer) => `layer.${layer}`))]);
  return [...blocks.keys()].filter((name) => !training.has(name));
}
