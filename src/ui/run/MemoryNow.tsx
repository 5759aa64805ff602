// What is on the GPU now: a square for the weights, gradient, m and v of every block, filled if it is there.

import { useState, type CSSProperties, type KeyboardEvent } from 'react';
import { tosses } from '../../lisa/schedule';
import type { RunPicture } from '../../store/run/picture';
import { formatBytes, formatCount, formatExactBytes, formatInUnit, unitOf, type ByteUnit } from '../format';
import { Panel } from '../widgets/Panel';
import { difference } from '../receipt';
import { GRID_COLUMNS, memoryGrid, type GridCell, type GridColumn, type MemoryGrid } from './memory-grid';
import { stackOf } from './stack-model';

const COLUMN_NAMES: Readonly<Record<GridColumn, string>> = { weights: 'weights', gradient: 'gradient', m: 'm', v: 'v' };
const COLUMN_HEADS: Readonly<Record<GridColumn, string>> = { weights: 'W', gradient: 'grad', m: 'm', v: 'v' };

export function MemoryNow({ picture: { run, metrics } }: { readonly picture: RunPicture }) {
  const { prepared, config } = run;
  // The stack stands above it, and grows when the layers are known.
  if (!prepared) return null;
  const stack = stackOf(run, prepared, metrics.periods);
  const grid = memoryGrid(stack, prepared, config.method);
  return (
    <Panel title={stack.moment === 'last' ? 'Memory at the end' : 'Memory now'}>
      <Squares grid={grid} varies={config.method === 'lisa' && tosses(config.lisaSampler)} />
      <p className="note">
        {config.method === 'full'
          ? `Full training fills every square: ${formatBytes(grid.total)}.`
          : `Filled squares: ${formatBytes(grid.total)}. Full training would fill every square: ${formatBytes(grid.full)} (forecast). The difference: ${difference(grid.total, grid.full)}.`}{' '}
        Activations are not included.
      </p>
    </Panel>
  );
}

interface At {
  readonly row: number;
  readonly column: number;
}

interface SquaresProps {
  readonly grid: MemoryGrid;
  /** Draws differ in size, and most leave some slots empty. */
  readonly varies: boolean;
}

function Squares({ grid, varies }: SquaresProps) {
  const { rows, totals } = grid;
  const [at, setAt] = useState<At>({ row: 0, column: 0 });
  const [told, setTold] = useState(false);
  const px = rows.length <= 16 ? 16 : rows.length <= 44 ? 11 : 8;
  const row = Math.min(at.row, rows.length - 1);
  const cell = rows[row].cells[at.column];
  const unit = unitOf(Math.max(...Object.values(totals)));
  return (
    <>
      <table
        className="memory-grid"
        role="grid"
        aria-label="Weights, gradient, m and v by block of the model. The arrow keys move between squares."
        style={{ '--square': `${px}px` } as CSSProperties}
        onKeyDown={(event) => moveTo(event, { row, column: at.column }, rows.length, setAt)}
        onPointerLeave={() => setTold(false)}
        onBlur={() => setTold(false)}
      >
        <thead>
          <tr>
            <th scope="col">
              <span className="hidden">Part</span>
            </th>
            {GRID_COLUMNS.map((column) => (
              <th scope="col" key={column}>
                {COLUMN_HEADS[column]}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ title, cells }, i) => (
            <tr key={title}>
              <th scope="row">{title}</th>
              {cells.map((square, j) => (
                <td
                  key={square.column}
                  role="gridcell"
                  tabIndex={i === row && j === at.column ? 0 : -1}
                  aria-label={describe(title, square)}
                  data-column={square.column}
                  data-resident={square.resident}
                  onFocus={() => {
                    setAt({ row: i, column: j });
                    setTold(true);
                  }}
                  onPointerEnter={() => {
                    setAt({ row: i, column: j });
                    setTold(true);
                  }}
                >
                  <span className="square" />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
        <tfoot>
          {varies && (
            <tr>
              <th scope="row">empty slots</th>
              <Sums sums={grid.spare} unit={unit} />
            </tr>
          )}
          <tr>
            <th scope="row">sum, {unit.name}</th>
            <Sums sums={totals} unit={unit} />
          </tr>
        </tfoot>
      </table>
      <p className="note grid-caption">{told ? describe(rows[row].title, cell) : 'Point at a square to see its bytes.'}</p>
    </>
  );
}

/** One shared unit for a row of numbers that are compared; the row is too narrow for a unit at each. */
const Sums = ({ sums, unit }: { readonly sums: MemoryGrid['totals']; readonly unit: ByteUnit }) =>
  GRID_COLUMNS.map((column) => (
    <td key={column} title={formatExactBytes(sums[column])}>
      {formatInUnit(sums[column], unit)}
    </td>
  ));

const describe = (title: string, { column, bytes, resident }: GridCell): string =>
  resident
    ? `${title}, ${COLUMN_NAMES[column]}: ${formatCount(bytes)} bytes on the GPU.`
    : `${title}, ${COLUMN_NAMES[column]}: not on the GPU; ${formatCount(bytes)} bytes if it trained.`;

function moveTo(event: KeyboardEvent<HTMLTableElement>, { row, column }: At, rows: number, set: (at: At) => void): void {
  const last = GRID_COLUMNS.length - 1;
  const to: At | undefined = {
    ArrowUp: { row: row - 1, column },
    ArrowDown: { row: row + 1, column },
    ArrowLeft: { row, column: column - 1 },
    ArrowRight: { row, column: column + 1 },
    Home: { row, column: 0 },
    End: { row, column: last },
  }[event.key];
  if (!to) return;
  event.preventDefault();
  const inside = { row: Math.max(0, Math.min(rows - 1, to.row)), column: Math.max(0, Math.min(last, to.column)) };
  set(inside);
  event.currentTarget.querySelectorAll<HTMLElement>('[role="gridcell"]')[inside.row * (last + 1) + inside.column]?.focus();
}
