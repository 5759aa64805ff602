// The smoothed losses of the chosen runs in one chart: colour, dash and marker say which is which, and so does the legend.

import { lazy, Suspense } from 'react';
import { formatLoss } from '../format';
import { useWidth } from '../widgets/size';
import { lastLoss, type OverlayRun } from './overlay-model';
import { Swatch } from './Swatch';

const OverlayPlot = lazy(() => import('./OverlayPlot'));

export function OverlayChart({ runs }: { readonly runs: readonly OverlayRun[] }) {
  const [box, width] = useWidth<HTMLDivElement>();
  const spoken = runs.map((run) => `${run.name}, last ${formatLoss(lastLoss(run))}`).join('; ');
  return (
    <div className="overlay measures" ref={box}>
      <ul className="legend overlay-legend">
        {runs.map((run) => (
          <li key={run.style}>
            <Swatch style={run.style} />
            <span className="overlay-name">{run.name}</span>
            <span title={String(lastLoss(run))}>{formatLoss(lastLoss(run))}</span>
          </li>
        ))}
      </ul>
      {runs.length === 0 ? (
        <p className="note overlay-plot">Choose up to six runs below to compare their losses.</p>
      ) : (
        <div className="overlay-plot" role="img" aria-label={`Smoothed loss by step: ${spoken}.`}>
          <Suspense fallback={null}>{width > 0 && <OverlayPlot runs={runs} width={width} />}</Suspense>
        </div>
      )}
    </div>
  );
}
