// What a memory bar is made of: segments in one fixed order, forecast (hatched) or measured (solid). Pure.

import type { Method } from '../../config/run-config';
import type { Forecast, ForecastPart } from '../../plan/forecast';
import type { FormulaTerm } from '../../plan/forecast-formula';
import type { CategoryBytes } from '../../dispatch/memory';
import { groupBytes, MEMORY_GROUPS, type GroupBytes, type MemoryGroup } from '../../store/run/metrics';

/** By purpose (forecast only), or by measured category. Purposes and categories that mean the same share a colour. */
export type SegmentId = ForecastPart['id'] | MemoryGroup;

export const SEGMENT_NAMES: Readonly<Record<SegmentId, string>> = {
  weights: 'Weights',
  'edges-state': 'Embedding, head and norm: gradients and optimizer',
  'layers-gradients': 'Layers: gradients',
  'layers-optimizer': 'Layers: optimizer (m, v)',
  gradients: 'Gradients',
  optimizer: 'Optimizer (m, v)',
  activations: 'Activations',
  workspace: 'Workspace',
  other: 'Inputs, cache, staging',
};

/** From the method that needs most, to the page's own. */
export const BAR_METHODS: readonly Method[] = ['full', 'lora', 'lisa'];

const PURPOSES = [
  'weights',
  'edges-state',
  'layers-gradients',
  'layers-optimizer',
  'activations',
  'workspace',
  'other',
] as const satisfies readonly SegmentId[];

export interface Segment {
  readonly id: SegmentId;
  readonly bytes: number;
  /** How a forecast calculates these bytes; absent if they are measured. */
  readonly formula?: readonly FormulaTerm[];
}

export interface Bar {
  readonly label: string;
  readonly kind: 'forecast' | 'measured';
  readonly segments: readonly Segment[];
  readonly total: number;
  /** The row of the method that the run or the settings use. */
  readonly chosen?: boolean;
  /** The device cannot run it, whatever the budget. */
  readonly cannot?: boolean;
}

const ordered = (order: readonly SegmentId[], bytes: (id: SegmentId) => number): Segment[] =>
  order.map((id) => ({ id, bytes: bytes(id) })).filter((segment) => segment.bytes > 0);

/** Before a run: by purpose, embedding and head apart from the layers. */
export const purposeBar = (label: string, forecast: Forecast, chosen = false): Bar => ({
  label,
  kind: 'forecast',
  segments: PURPOSES.flatMap((id) => forecast.parts.filter((part) => part.id === id && part.bytes > 0)),
  total: forecast.total,
  chosen,
});

/** Beside measured bars: by the measured categories. */
export const classBar = (label: string, bytes: CategoryBytes, total: number, chosen = false): Bar => {
  const groups = groupBytes(bytes);
  return { label, kind: 'forecast', segments: ordered(MEMORY_GROUPS, (id) => groups[id as MemoryGroup]), total, chosen };
};

export const measuredBar = (label: string, groups: GroupBytes, total: number): Bar => ({
  label,
  kind: 'measured',
  segments: ordered(MEMORY_GROUPS, (id) => groups[id as MemoryGroup]),
  total,
  chosen: true,
});

/** Segments that any of the bars has, in order. */
export function segmentsOf(bars: readonly Bar[]): SegmentId[] {
  const present = new Set(bars.flatMap((bar) => bar.segments.map((segment) => segment.id)));
  const order: readonly SegmentId[] = [
    ...PURPOSES.slice(0, 2),
    'layers-gradients',
    'gradients',
    'layers-optimizer',
    'optimizer',
    ...PURPOSES.slice(4),
  ];
  return order.filter((id) => present.has(id));
}
