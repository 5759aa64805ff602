// Compares the weights of layers when they join and when they leave. It reads only layers in training, only at the two ends of a period,
// and writes nothing on the GPU. If updates are measured, it keeps γ layers on the host.

import type { PolicyName } from '../config/policies';
import { Change } from './change';
import type { Engine } from '../engine/engine';
import type { FrozenProof } from './frozen-proof';
import type { LayerMove } from './events';

type Bytes = Uint8Array<ArrayBuffer>;

const floats = (bytes: Bytes): Float32Array => new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);

export interface WatchOptions {
  /** Measure how far layers moved. */
  readonly measure: boolean;
  /** Records the weights of layers when they leave. */
  readonly proof: FrozenProof | null;
}

export class PeriodWatch {
  readonly #engine: Engine;
  readonly #options: WatchOptions;
  #layers: readonly number[] = [];
  /** Weights at the beginning of the period, if updates are measured. */
  readonly #before = new Map<number, Bytes>();

  constructor(engine: Engine, options: WatchOptions) {
    this.#engine = engine;
    this.#options = options;
  }

  /** For a checkpoint inside a period, so that measurements do not depend on when a run was interrupted. */
  get before(): ReadonlyMap<number, Bytes> {
    return this.#before;
  }

  /** Continues inside a period with these layers. */
  restore(layers: readonly number[], before: ReadonlyMap<number, Bytes>): void {
    this.#layers = layers;
    for (const [layer, bytes] of before) this.#before.set(layer, bytes);
  }

  /** Called before the first step of a period with these layers. A layer that stays was read when the previous period ended. */
  async begin(layers: readonly number[]): Promise<void> {
    this.#layers = layers;
    if (!this.#options.measure) return;
    for (const layer of this.#before.keys()) if (!layers.includes(layer)) this.#before.delete(layer);
    for (const layer of layers) if (!this.#before.has(layer)) this.#before.set(layer, await this.#read(layer));
  }

  /**
   * How far each layer has moved since the period began; empty if that is not measured. `over`: the period ends here, and the next one is
   * measured from here. `drawn`: what trained beside the layers and may be frozen in the next. Otherwise the run ends inside the period, and a resumed run will measure it again.
   */
  async end(over: boolean, drawn: readonly PolicyName[] = []): Promise<LayerMove[]> {
    const { measure, proof } = this.#options;
    for (const name of drawn) await proof?.noteBlock(name);
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
