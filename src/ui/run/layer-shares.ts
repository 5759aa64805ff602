// How often each layer trained, and how far it moved in all. Pure.

import type { RunMetrics } from '../../store/run/metrics';

interface LayerShare {
  readonly layer: number;
  readonly periods: number;
  /** Sum of ‖ΔW‖ / ‖W‖ over the periods in which it trained. */
  readonly moved: number;
}

export function layerShares({ periods, moves }: Pick<RunMetrics, 'periods' | 'moves'>, count: number) {
  const layers: readonly LayerShare[] = Array.from({ length: count }, (_, layer) => ({
    layer,
    periods: periods.filter((period) => period.layers.includes(layer)).length,
    moved: moves.flatMap((move) => move.layers).reduce((sum, each) => sum + (each.layer === layer ? each.change : 0), 0),
  }));
  return { layers, most: Math.max(...layers.map(({ moved }) => moved), Number.MIN_VALUE), moves: moves.length > 0 };
}
