// What happens at a period boundary: which layer gets which slot, whose state is cleared, and how many updates
// each state has seen. Pure bookkeeping; train/step.ts carries it out on the GPU.
//
// A layer that trains in two consecutive periods keeps its slot with m, v and step count. One that leaves loses
// them (or has them parked on the host); its gradient and optimizer memory serve the next layer.

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

export class LayerController {
  readonly #slots: SlotState[];
  readonly #park: boolean;
  /** Update counts of the layers whose state is parked. */
  readonly #parked = new Map<number, number>();

  constructor(slots: number, park: boolean) {
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

  /** Counts one update of every layer in training. */
  countUpdate(): void {
    this.#slots.forEach(({ layer, updates }, slot) => {
      if (layer !== null) this.#slots[slot] = { layer, updates: updates + 1 };
    });
  }

  /** Restores the state of a checkpoint. */
  resume(slots: readonly SlotState[], parked: Iterable<readonly [number, number]>): void {
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
