// What is looked at when layers join and leave: their weights as they were and as they are. Only layers in training are
// read, and only at the two ends of a period; nothing on the GPU is written. Where updates are measured it keeps γ layers on the host.

import { Change } from './change';
import type { Engine } from '../engine/engine';
import type { FrozenProof } from './frozen-proof';
import type { LayerMove } from './events';

type Bytes = Uint8Array<ArrayBuffer>;

const floats = (bytes: Bytes): Float32Array => new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);

export interface WatchOptions {
  /** Say how far layers moved. */
  readonly measure: boolean;
  /** Is told what layers are when they leave. */
  readonly proof: FrozenProof | null;
}

export class PeriodWatch {
  readonly #engine: Engine;
  readonly #options: WatchOptions;
  #layers: readonly number[] = [];
  /** Weights at the beginning of the period, where updates are measured. */
  readonly #before = new Map<number, Bytes>();

  constructor(engine: Engine, options: WatchOptions) {
    this.#engine = engine;
    this.#options = options;
  }

  /** For a checkpoint inside of a period, so that what is measured does not depend on when a run was interrupted. */
  get before(): ReadonlyMap<number, Bytes> {
    return this.#before;
  }

  /** Goes on inside of a period with these layers. */
  restore(layers: readonly number[], before: ReadonlyMap<number, Bytes>): void {
    this.#layers = layers;
    for (const [layer, bytes] of before) this.#before.set(layer, bytes);
  }

  /** Before the first step of a period with these layers. One that stays was read when the period before ended. */
  async begin(layers: readonly number[]): Promise<void> {
    this.#layers = layers;
    if (!this.#options.measure) return;
    for (const layer of this.#before.keys()) if (!layers.includes(layer)) this.#before.delete(layer);
    for (const layer of layers) if (!this.#before.has(layer)) this.#before.set(layer, await this.#read(layer));
  }

  /**
   * How far each layer has moved since the period began; empty where that is not measured. `over`: the period ends here, and
   * the next one is measured from here. Else the run ends inside of it, and one that goes on from there will measure it again.
   */
  async end(over: boolean): Promise<LayerMove[]> {
    const { measure, proof } = this.#options;
    const moves: LayerMove[] = [];
    for (const layer of this.#layers) {
      await proof?.noteBlock(`layer.${layer}`);
      if (!measure) continue;
      const after = await this.#read(layer);
      moves.push({ layer, change: new Change().add(floats(this.#before.get(layer)!), floats(after)).relative });
      if (over) this.#before.set(layer, after);
    }
    return moves;
  }

  #read(layer: number): Promise<Bytes> {
    return this.#engine.readLayer(layer);
  }
}
