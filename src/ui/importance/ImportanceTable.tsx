// Layers with their p_l as bars, the highest layer on top as in the stack, and what was measured of them.

import { importanceSentence, type ImportanceRows } from './importance-rows';

export function ImportanceTable({ rows: table }: { readonly rows: ImportanceRows }) {
  const { heads, rows } = table;
  const trends = rows.some(({ trend }) => trend);
  return (
    <div className="importance-table">
      <table>
        <caption className="note">{importanceSentence(table)}</caption>
        <thead>
          <tr>
            <th scope="col">Layer</th>
            <th scope="col" colSpan={2}>
              p
            </th>
            {trends && <th scope="col">p until now</th>}
            {heads.map((head) => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {[...rows].reverse().map(({ layer, weight, share, cells, trend }) => (
            <tr key={layer}>
              <th scope="row">{layer}</th>
              <td className="importance-bar" aria-hidden="true">
                <svg viewBox="0 0 100 10" preserveAspectRatio="none">
                  <rect width={Math.max(1, share * 100)} height="10" />
                </svg>
              </td>
              <td>{weight.toFixed(3)}</td>
              {trends && <td aria-hidden="true">{trend && <Trend points={trend} />}</td>}
              {cells.map((cell, at) => (
                <td key={heads[at]}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Trend({ points }: { readonly points: readonly number[] }) {
  const x = (at: number): number => (points.length > 1 ? (at / (points.length - 1)) * 60 : 60);
  return (
    <svg className="importance-trend" viewBox="-1 -1 62 14" width="62" height="14">
      <polyline points={points.map((p, at) => `${x(at).toFixed(1)},${(12 * (1 - p)).toFixed(1)}`).join(' ')} />
    </svg>
  );
}
