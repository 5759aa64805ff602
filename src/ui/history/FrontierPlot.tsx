// The plot of loss against memory. A shape and a colour for each method; the stairs of the frontier behind them.

import { CartesianGrid, Legend, Scatter, ScatterChart, Tooltip, XAxis, YAxis } from 'recharts';
import { METHODS } from '../../config/field';
import { formatBytes, formatByteTick, formatLoss } from '../format';
import { METHOD_NAMES } from '../labels';
import { CHART, tickText } from '../widgets/recharts-style';
import { stairs, type FrontierPoint } from './frontier-model';

const HEIGHT = 260;
const SHAPES = { lisa: 'circle', full: 'square', lora: 'triangle' } as const;
const COLOURS = { lisa: 'var(--series-0)', full: 'var(--series-1)', lora: 'var(--series-2)' } as const;

export default function FrontierPlot({ points, width }: { readonly points: readonly FrontierPoint[]; readonly width: number }) {
  return (
    <ScatterChart width={width} height={HEIGHT} margin={CHART.margin} accessibilityLayer={false}>
      <CartesianGrid stroke="var(--rule)" />
      <XAxis dataKey="peak" name="Peak" type="number" domain={['auto', 'auto']} tickFormatter={formatByteTick} {...CHART.axis} />
      <YAxis
        dataKey="loss"
        name="Held-out loss"
        type="number"
        domain={['auto', 'auto']}
        tickFormatter={tickText}
        width={48}
        {...CHART.axis}
      />
      <Tooltip isAnimationActive={false} content={({ payload }) => <Tip point={payload[0]?.payload as FrontierPoint | undefined} />} />
      <Legend wrapperStyle={{ fontSize: 12 }} />
      <Scatter
        data={stairs(points)}
        line={{ stroke: 'var(--muted)', strokeDasharray: '4 3' }}
        shape={() => <g />}
        legendType="none"
        tooltipType="none"
        isAnimationActive={false}
      />
      {METHODS.filter((method) => points.some((point) => point.method === method)).map((method) => (
        <Scatter
          key={method}
          name={METHOD_NAMES[method]}
          data={points.filter((point) => point.method === method)}
          fill={COLOURS[method]}
          shape={SHAPES[method]}
          isAnimationActive={false}
        />
      ))}
    </ScatterChart>
  );
}

function Tip({ point }: { readonly point: FrontierPoint | undefined }) {
  if (!point?.name) return null;
  return (
    <div style={CHART.tip.contentStyle}>
      <strong>{point.name}</strong>
      <div>
        loss {formatLoss(point.loss)}, peak {formatBytes(point.peak)}
      </div>
    </div>
  );
}
