// How long the rows are: bars by length, and a line where the model's row ends. Bars past the line are hatched: the end of
// those rows is cut off, or goes into further windows.

import { useId } from 'react';
import type { DataPreview } from '../../data/sample/preview';
import { formatCount, plural } from '../format';
import { useWidth } from '../widgets/size';
import { lengthSummary } from './data-words';

const HEIGHT = 132;
const TOP = 18;
const FOOT = 20;
const BASE = HEIGHT - FOOT;

export function LengthHistogram({ preview, seqLen }: { readonly preview: DataPreview; readonly seqLen: number }) {
  const [box, width] = useWidth<HTMLDivElement>();
  const { bins, width: step, beyond } = preview.lengths;
  const hatch = useId();
  const summary = lengthSummary(preview);
  const most = Math.max(1, ...bins);
  const end = bins.length * step;
  const x = (length: number): number => (length / end) * width;
  const mark = x(seqLen);
  const marked = seqLen < end;
  return (
    <div className="lengths">
      <h3>Row lengths in tokens</h3>
      <div className="measures" ref={box} style={{ height: HEIGHT }}>
        {width > 0 && (
          <svg className="histogram" width={width} height={HEIGHT} role="img" aria-label={`Histogram of row lengths. ${summary}`}>
            <defs>
              <pattern id={hatch} width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
                <rect className="hatch-ground" width="5" height="5" />
                <line className="hatch-line" x1="0" y1="0" x2="0" y2="5" />
              </pattern>
            </defs>
            {bins.map((count, i) => {
              const height = count === 0 ? 0 : Math.max(2, (count / most) * (BASE - TOP));
              // A row of T + 1 tokens fits, because the last token is only predicted.
              const long = i * step > seqLen + 1;
              return (
                <rect
                  key={i}
                  className="bin"
                  x={x(i * step) + 0.5}
                  y={BASE - height}
                  width={Math.max(1, width / bins.length - 1)}
                  height={height}
                  fill={long ? `url(#${hatch})` : undefined}
                >
                  <title>{`${binName(i, step)} tokens: ${plural(count, 'row')}`}</title>
                </rect>
              );
            })}
            <line className="axis-line" x1="0" x2={width} y1={BASE + 0.5} y2={BASE + 0.5} />
            <text className="axis-text" x="0" y={HEIGHT - 5}>
              0
            </text>
            <text className="axis-text" x={width} y={HEIGHT - 5} textAnchor="end">
              {formatCount(end)}
            </text>
            {marked && (
              <g className="length-mark">
                <line x1={mark} x2={mark} y1={TOP - 4} y2={BASE} />
                <text x={mark} y={TOP - 7} textAnchor={mark < 60 ? 'start' : mark > width - 60 ? 'end' : 'middle'}>
                  {`length ${formatCount(seqLen)}`}
                </text>
              </g>
            )}
          </svg>
        )}
      </div>
      <p className="note">
        {summary}
        {beyond > 0 && ` ${plural(beyond, 'row is', 'rows are')} longer than ${formatCount(end)} and not drawn.`}
        {!marked && ` All rows are shorter than the length of ${formatCount(seqLen)} tokens.`}
      </p>
      <details className="numbers">
        <summary>Lengths as a table</summary>
        <LengthTable preview={preview} />
      </details>
    </div>
  );
}

const binName = (i: number, step: number): string =>
  step === 1 ? formatCount(i) : `${formatCount(i * step)}–${formatCount((i + 1) * step - 1)}`;

function LengthTable({ preview: { lengths } }: { readonly preview: DataPreview }) {
  const { bins, width, beyond } = lengths;
  return (
    <div className="scroll" tabIndex={0} role="group" aria-label="Lengths as a table">
      <table>
        <thead>
          <tr>
            <th scope="col">Tokens</th>
            <th scope="col">Rows</th>
          </tr>
        </thead>
        <tbody>
          {bins.map((count, i) => (
            <tr key={i}>
              <th scope="row">{binName(i, width)}</th>
              <td>{formatCount(count)}</td>
            </tr>
          ))}
          {beyond > 0 && (
            <tr>
              <th scope="row">{formatCount(bins.length * width)} and more</th>
              <td>{formatCount(beyond)}</td>
            </tr>
          )}
        </tbody>
      </table>
    </div>
  );
}
