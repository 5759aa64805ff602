// What a period's beginning moves: weights, and the optimizer state of slots.

import { AppError } from '../base/errors';
import type { PolicyName } from '../config/policies';
import type { Engine } from '../engine/engine';
import type { LayerController, ParkedState } from '../lisa/controller';

/** Which layers have slots, and what of the others is kept on the host. */
export interface SlotsState {
  readonly engine: Engine;
  readonly controller: LayerController;
  /** m and v of layers that are not in training, by layer, if the run keeps them. */
  readonly parked: Map<number, ParkedState>;
  /** Called for each layer whose weights have left its slot. */
  readonly onLeft?: (layer: number) => Promise<void>;
}

/** Gives slots to these layers: parks the state of layers that leave, moves packed weights, and clears or restores the slots' state. */
export async function switchLayers(state: SlotsState, layers: readonly number[], blocks: readonly PolicyName[] = []): Promise<void> {
  const { controller, engine, parked } = state;
  const { slots } = engine.plan.buffers;
  const change = controller.switchTo(layers);
  for (const [slot, layer] of change.park)
    parked.set(layer, { m: await engine.readSharded(slots[slot].m), v: await engine.readSharded(slots[slot].v) });
  await engine.moveWeights(change, state.onLeft);
  const cleared = [
    ...change.clear.map((slot) => engine.plan.reset(slot)),
    ...controller.switchBlocks(blocks).map((name) => engine.plan.resetBlock(name)),
  ];
  await engine.executor.run(cleared, engine.plan.capacity);
  for (const [slot, layer] of change.restore) {
    const kept = parked.get(layer);
    if (!kept) throw new AppError('INTERNAL', `The parked state of layer ${layer} is missing.`, '');
    engine.writeSharded(slots[slot].m, kept.m);
    engine.writeSharded(slots[slot].v, kept.v);
    parked.delete(layer);
  }
}
