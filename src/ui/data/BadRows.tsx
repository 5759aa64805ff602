// Rows that could not be used, and why.

import type { DataPreview } from '../../data/sample/preview';
import { formatCount } from '../format';

export function BadRows({ preview: { badRows, counts } }: { readonly preview: DataPreview }) {
  if (badRows.length === 0) return null;
  return (
    <details className="numbers bad-rows">
      <summary>Malformed rows, and what is wrong with them</summary>
      <div className="scroll" tabIndex={0} role="group" aria-label="Malformed rows">
        <ol>
          {badRows.map(({ row, reason }, i) => (
            <li key={i}>
              <strong>Row {formatCount(row)}:</strong> {reason}.
            </li>
          ))}
        </ol>
        {counts.badRows > badRows.length && (
          <p className="note">
            The first {formatCount(badRows.length)} of {formatCount(counts.badRows)}.
          </p>
        )}
      </div>
    </details>
  );
}
