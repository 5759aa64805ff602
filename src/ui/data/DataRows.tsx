// The first rows of the data, one at a time: as they were read, or as the tokens that the model gets.

import { useState } from 'react';
import type { DataHead } from '../../data/sample/preview';
import { formatCount } from '../format';
import { Segmented } from '../widgets/fields';
import { rowName, rowSummary, nameOfUse } from './data-words';
import { RowText } from './RowText';
import { TokenLegend, TokenView } from './TokenView';

const WAYS = [
  ['tokens', 'As tokens'],
  ['read', 'As read'],
] as const;
type Way = (typeof WAYS)[number][0];

interface DataRowsProps {
  readonly head: DataHead;
  readonly seqLen: number;
  /** Everything is counted, so what happens to each row is known. */
  readonly counted: boolean;
}

export function DataRows({ head: { rows, format }, seqLen, counted }: DataRowsProps) {
  const [way, setWay] = useState<Way>('tokens');
  const [at, setAt] = useState(0);
  const index = Math.min(at, rows.length - 1);
  if (index < 0) return <p className="note data-no-rows">No readable rows.</p>;
  const row = rows[index];
  const place = `${rowName(row, format, index)}, ${formatCount(index + 1)} of ${formatCount(rows.length)} shown`;
  return (
    <section className="data-rows" aria-label="Rows">
      <div className="data-rows-head">
        <div className="pager">
          <button type="button" className="button" disabled={index === 0} onClick={() => setAt(index - 1)} aria-label="Previous row">
            ‹
          </button>
          <button
            type="button"
            className="button"
            disabled={index === rows.length - 1}
            onClick={() => setAt(index + 1)}
            aria-label="Next row"
          >
            ›
          </button>
          <p aria-live="polite">
            <strong>{place}</strong>
            {counted && row.use !== 'training' && <span className="tag">{nameOfUse(row.use)}</span>}
          </p>
        </div>
        <Segmented legend="Rows are shown" name="row-way" value={way} options={WAYS} onChange={setWay} />
      </div>
      <p className="note">{rowSummary(row, seqLen)}</p>
      <div className="row-box" tabIndex={0} role="group" aria-label={place}>
        {way === 'tokens' ? <TokenView tokens={row.tokens} /> : <RowText row={row.row} />}
      </div>
      <div className="row-legend">{way === 'tokens' && <TokenLegend />}</div>
    </section>
  );
}
