// What is looked at when layers join and leave: their weights as they were and as they are. Only layers in training are
// read, and only at the two ends of a period; nothing on the GPU is written. On the host it keeps γ layers.

import { Change } from './change';
import type { Engine } from './engine';
import type { LayerMove } from './protocol';

type Bytes = Uint8Array<ArrayBuffer>;

const floats = (bytes: Bytes): Float32Array => new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);

export class PeriodWatch {
  readonly #engine: Engine;
  /** Weights at the beginning of the period, of the layers that train in it. */
  readonly #before = new Map<number, Bytes>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** For a checkpoint inside of a period, so that what is measured does not depend on when a run was interrupted. */
  get before(): ReadonlyMap<number, Bytes> {
    return this.#before;
  }

  restore(before: ReadonlyMap<number, Bytes>): void {
    this.#before.clear();
    for (const [layer, bytes] of before) this.#before.set(layer, bytes);
  }

  /** Before the first step of a period with these layers. One that stays was read when the period before ended. */
  async begin(layers: readonly number[]): Promise<void> {
    for (const layer of this.#before.keys()) if (!layers.includes(layer)) this.#before.delete(layer);
    for (const layer of layers) if (!this.#before.has(layer)) this.#before.set(layer, await this.#read(layer));
  }

  /** How far each layer has moved since the period began. `over`: it ends here, and the next one is measured from here. */
  async measure(over: boolean): Promise<LayerMove[]> {
    const moves: LayerMove[] = [];
    for (const [layer, before] of [...this.#before].sort(([a], [b]) => a - b)) {
      const after = await this.#read(layer);
      moves.push({ layer, change: new Change().add(floats(before), floats(after)).relative });
      if (over) this.#before.set(layer, after);
    }
    return moves;
  }

  #read(layer: number): Promise<Bytes> {
    return this.#engine.readWhole(this.#engine.plan.buffers.blocks.get(`layer.${layer}`)!.spec);
  }
}
