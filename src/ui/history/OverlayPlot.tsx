// The plot of the overlay. Apart from its legend, because recharts is loaded when the first plot is shown.

import { useMemo } from 'react';
import { CartesianGrid, Line, LineChart, ReferenceDot, Tooltip, XAxis, YAxis } from 'recharts';
import { formatCount, formatLoss } from '../format';
import { CHART, tickText } from '../widgets/recharts-style';
import { DASHES, lossKey, MARKERS, overlayRows, type OverlayRun } from './overlay-model';

const HEIGHT = 232;

export default function OverlayPlot({ runs, width }: { readonly runs: readonly OverlayRun[]; readonly width: number }) {
  const rows = useMemo(() => overlayRows(runs), [runs]);
  return (
    <LineChart data={rows} width={width} height={HEIGHT} margin={CHART.margin} accessibilityLayer={false}>
      <CartesianGrid vertical={false} stroke="var(--rule)" />
      <XAxis dataKey="step" type="number" domain={[0, 'dataMax']} tickFormatter={formatCount} {...CHART.axis} />
      <YAxis domain={['auto', 'auto']} tickFormatter={tickText} width={48} {...CHART.axis} />
      <Tooltip
        isAnimationActive={false}
        labelFormatter={(step) => `Step ${formatCount(Number(step))}`}
        formatter={(loss) => formatLoss(Number(loss))}
        {...CHART.tip}
      />
      {runs.map(({ name, style }) => (
        <Line
          key={style}
          name={name}
          dataKey={lossKey(style)}
          stroke={`var(--series-${style})`}
          strokeWidth={2}
          strokeDasharray={DASHES[style] === 'none' ? undefined : DASHES[style]}
          dot={false}
          connectNulls
          isAnimationActive={false}
        />
      ))}
      {runs.flatMap(({ name, style, evals }) =>
        evals
          .filter(({ loss }) => Number.isFinite(loss))
          .map(({ step, loss }) => (
            <ReferenceDot
              key={`${style} ${step}`}
              x={step}
              y={loss}
              ifOverflow="extendDomain"
              shape={({ cx = 0, cy = 0 }: { readonly cx?: number; readonly cy?: number }) => (
                <g className="series" data-style={style}>
                  <path className="mark" d={MARKERS[style]} transform={`translate(${cx} ${cy})`}>
                    <title>{`${name}: held-out loss ${loss} after step ${step}`}</title>
                  </path>
                </g>
              )}
            />
          )),
      )}
    </LineChart>
  );
}
