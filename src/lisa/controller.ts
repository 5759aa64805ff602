// What happens at a period boundary: which layer gets which slot, whose state is cleared, and how many updates
// each state has seen. Pure bookkeeping; train/switch-layers.ts carries it out on the GPU.
//
// A layer that trains in two consecutive periods keeps its slot with m, v and step count. One that leaves loses
// them (or has them parked on the host); its gradient and optimizer memory serve the next layer.

import type { PolicyName } from '../config/policies';
import { AppError } from '../base/errors';

export interface SlotState {
  readonly layer: number | null;
  /** AdamW updates that this slot's m and v have seen. */
  readonly updates: number;
}

/** m and v of a layer out of training, kept in host memory (--lisa-state park). */
export interface ParkedState {
  readonly m: Uint8Array<ArrayBuffer>;
  readonly v: Uint8Array<ArrayBuffer>;
}

export interface Switch {
  /** Layers that leave their slots, and those that come: [slot, layer]. */
  readonly leave: readonly (readonly [number, number])[];
  readonly join: readonly (readonly [number, number])[];
  /** Slots to read out before they are reused, when state is parked: [slot, layer]. */
  readonly park: readonly (readonly [number, number])[];
  /** Slots whose m and v start at zero. */
  readonly clear: readonly number[];
  /** Slots whose m and v come back from the host: [slot, layer]. */
  readonly restore: readonly (readonly [number, number])[];
}

/** A block that is drawn like a layer: its state stays where it is while it does not train. */
export interface BlockState {
  readonly name: PolicyName;
  readonly trains: boolean;
  /** AdamW updates that its m and v have seen. */
  readonly updates: number;
}

export class LayerController {
  #blocks: readonly BlockState[] = [];
  readonly #slots: SlotState[];
  readonly #park: boolean;
  /** Update counts of the layers whose state is parked. */
  readonly #parked = new Map<number, number>();

  /** `sampled`: blocks that are drawn like layers. */
  constructor(slots: number, park: boolean, sampled: readonly PolicyName[] = []) {
    this.#blocks = sampled.map((name) => ({ name, trains: false, updates: 0 }));
    this.#slots = Array.from({ length: slots }, () => ({ layer: null, updates: 0 }));
    this.#park = park;
  }

  /** Layer to slot, for the plan. */
  assignment(): Map<number, number> {
    const map = new Map<number, number>();
    this.#slots.forEach(({ layer }, slot) => layer !== null && map.set(layer, slot));
    return map;
  }

  /** Layers in training, ascending. */
  layers(): number[] {
    return [...this.assignment().keys()].sort((a, b) => a - b);
  }

  slots(): readonly SlotState[] {
    return this.#slots;
  }

  blocks(): readonly BlockState[] {
    return this.#blocks;
  }

  /** Blocks that train now, of those that are drawn. */
  drawn(): PolicyName[] {
    return this.#blocks.filter(({ trains }) => trains).map(({ name }) => name);
  }

  /** Trains these blocks from now on. Returns those whose m and v start at zero: they join, and no state of theirs was parked. */
  switchBlocks(names: readonly PolicyName[]): PolicyName[] {
    const joins = this.#blocks.filter(({ name, trains }) => names.includes(name) && !trains && !this.#park);
    const fresh = joins.map(({ name }) => name);
    this.#blocks = this.#blocks.map(({ name, updates }) => ({
      name,
      trains: names.includes(name),
      updates: fresh.includes(name) ? 0 : updates,
    }));
    return fresh;
  }

  parked(): ReadonlyMap<number, number> {
    return this.#parked;
  }

  /** Trains `layers` from now on. Throws if there are more layers than slots. */
  switchTo(layers: readonly number[]): Switch {
    if (new Set(layers).size !== layers.length || layers.length > this.#slots.length) {
      throw new AppError('INTERNAL', `A draw of ${layers.length} layers (${layers.join(', ')}) for ${this.#slots.length} slots.`, '');
    }
    const leave: [number, number][] = [];
    const join: [number, number][] = [];
    const park: [number, number][] = [];
    const clear: number[] = [];
    const restore: [number, number][] = [];
    this.#slots.forEach(({ layer, updates }, slot) => {
      if (layer === null || layers.includes(layer)) return;
      leave.push([slot, layer]);
      if (this.#park) {
        park.push([slot, layer]);
        this.#parked.set(layer, updates);
      }
      this.#slots[slot] = { layer: null, updates: 0 };
    });
    for (const layer of layers) {
      if (this.#slots.some((s) => s.layer === layer)) continue;
      const slot = this.#slots.findIndex((s) => s.layer === null);
      const updates = this.#parked.get(layer);
      this.#slots[slot] = { layer, updates: updates ?? 0 };
      join.push([slot, layer]);
      if (updates === undefined) {
        clear.push(slot);
      } else {
        restore.push([slot, layer]);
        this.#parked.delete(layer);
      }
    }
    return { leave, join, park, clear, restore };
  }

  /** Counts one update of every layer and block in training. */
  countUpdate(): void {
    this.#blocks = this.#blocks.map((block) => (block.trains ? { ...block, updates: block.updates + 1 } : block));
    this.#slots.forEach(({ layer, updates }, slot) => {
      if (layer !== null) this.#slots[slot] = { layer, updates: updates + 1 };
    });
  }

  /** Restores the state of a checkpoint. */
  resume(slots: readonly SlotState[], parked: Iterable<readonly [number, number]>, blocks: readonly BlockState[] = []): void {
    this.#blocks = this.#blocks.map((block) => blocks.find(({ name }) => name === block.name) ?? block);
    if (slots.length !== this.#slots.length) {
      throw new AppError(
        'CHECKPOINT_MISMATCH',
        `The checkpoint has ${slots.length} optimizer slots, this run has ${this.#slots.length}.`,
        'Resume with the settings of the run that wrote it.',
      );
    }
    slots.forEach((state, slot) => (this.#slots[slot] = { ...state }));
    this.#parked.clear();
    for (const [layer, updates] of parked) this.#parked.set(layer, updates);
  }
}
