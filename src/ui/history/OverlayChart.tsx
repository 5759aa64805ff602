// The smoothed losses of the chosen runs in one chart: colour, dash and marker say which is which, and so does the legend.

import { useMemo } from 'react';
import { formatCount, formatLoss } from '../format';
import { GUTTER } from '../charts/axis';
import { useWidth } from '../widgets/size';
import { DASHES, MARKERS, overlay, type OverlayRun } from './overlay-model';

const HEIGHT = 200;

export function OverlayChart({ runs }: { readonly runs: readonly OverlayRun[] }) {
  const [box, width] = useWidth<HTMLDivElement>();
  const inner = Math.max(0, width - GUTTER.left - GUTTER.right);
  const { curves, xTicks, yTicks } = useMemo(() => overlay(runs, inner, HEIGHT), [runs, inner]);
  const spoken = curves.map(({ name, last }) => `${name}, last ${formatLoss(last)}`).join('; ');
  return (
    <div className="overlay" ref={box}>
      <ul className="legend overlay-legend">
        {curves.map(({ name, style, last }) => (
          <li key={style}>
            <Swatch style={style} />
            <span className="overlay-name">{name}</span>
            <span title={String(last)}>{formatLoss(last)}</span>
          </li>
        ))}
      </ul>
      <div className="overlay-plot">
        {runs.length === 0 ? (
          <p className="note">Choose up to six runs below to compare their losses.</p>
        ) : (
          width > 0 && (
            <svg width={width} height={HEIGHT + 32} role="img" aria-label={`Smoothed loss by step: ${spoken}.`}>
              <g transform={`translate(${GUTTER.left} 8)`}>
                {yTicks.map(({ value, y }) => (
                  <g key={value}>
                    <line className="overlay-grid" x1={0} x2={inner} y1={y} y2={y} />
                    <text x={-8} y={y} dy="0.32em" textAnchor="end">
                      {Number(value.toPrecision(3))}
                    </text>
                  </g>
                ))}
                {xTicks.map(({ step, x }) => (
                  <text key={step} x={x} y={HEIGHT + 18} textAnchor="middle">
                    {formatCount(step)}
                  </text>
                ))}
                {curves.map(({ style, path, marks, name }) => (
                  <g key={style} className="series" data-style={style}>
                    <path d={path} strokeDasharray={DASHES[style]} />
                    {marks.map(({ x, y, step, loss }) => (
                      <path key={step} className="mark" d={MARKERS[style]} transform={`translate(${x} ${y})`}>
                        <title>{`${name}: held-out loss ${loss} after step ${step}`}</title>
                      </path>
                    ))}
                  </g>
                ))}
              </g>
            </svg>
          )
        )}
      </div>
    </div>
  );
}

/** A sample of the line as the chart draws it. */
export function Swatch({ style }: { readonly style: number }) {
  return (
    <svg className="series overlay-swatch" data-style={style} width={34} height={12} aria-hidden="true">
      <path d="M0 6H34" strokeDasharray={DASHES[style]} />
      <path className="mark" d={MARKERS[style]} transform="translate(17 6)" />
    </svg>
  );
}
