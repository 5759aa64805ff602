// Weights, gradient, m and v of every block of the model: how many bytes, and whether they are on the GPU now. Pure.

import type { Prepared } from '../../train/events';
import type { Method } from '../../config/run-config';
import type { Stack } from './stack-model';

export const GRID_COLUMNS = ['weights', 'gradient', 'm', 'v'] as const;
export type GridColumn = (typeof GRID_COLUMNS)[number];

export interface GridCell {
  readonly column: GridColumn;
  /** Bytes that it has there, or would have if it trained. */
  readonly bytes: number;
  readonly resident: boolean;
}

interface GridRow {
  readonly title: string;
  readonly cells: readonly GridCell[];
}

export interface MemoryGrid {
  readonly rows: readonly GridRow[];
  /** Slots that this period leaves empty; they take memory too. */
  readonly spare: Readonly<Record<GridColumn, number>>;
  /** On the GPU now, spare slots included. */
  readonly totals: Readonly<Record<GridColumn, number>>;
  readonly total: number;
  /** The same columns if everything trained. */
  readonly full: number;
}

const perColumn = (of: (column: GridColumn) => number): Record<GridColumn, number> =>
  Object.fromEntries(GRID_COLUMNS.map((column) => [column, of(column)])) as Record<GridColumn, number>;

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

export function memoryGrid({ floors }: Stack, { forecasts }: Pick<Prepared, 'forecasts'>, method: Method): MemoryGrid {
  const rows = floors.flatMap(({ title, block, trains }): GridRow[] =>
    block
      ? [
          {
            title,
            cells: GRID_COLUMNS.map((column) => ({
              column,
              // What never trains has no bytes there; if it trained, it would need as many as the weights.
              bytes: column === 'weights' ? block.weights : block[column] || block.weights,
              resident: column === 'weights' || trains !== 'no',
            })),
          },
        ]
      : [],
  );
  const filled = perColumn((column) =>
    sum(rows.flatMap(({ cells }) => cells.filter((c) => c.column === column && c.resident).map((c) => c.bytes))),
  );
  // The plan's bytes equal those of the allocated buffers.
  const { gradients, optimizer } = forecasts[method].bytes;
  const planned = { weights: filled.weights, gradient: gradients, m: optimizer / 2, v: optimizer / 2 };
  const spare = perColumn((column) => Math.max(0, planned[column] - filled[column]));
  const totals = perColumn((column) => filled[column] + spare[column]);
  const { bytes } = forecasts.full;
  return { rows, spare, totals, total: sum(Object.values(totals)), full: bytes.weights + bytes.gradients + bytes.optimizer };
}
