// Loss by step: every step faint, the moving average on top, evaluations as points with their values.

import { memo, useMemo } from 'react';
import type { ChartSettings } from '../../store/run/chart-settings';
import type { MovingAverage } from '../../store/run/columns';
import type { RunMetrics } from '../../store/run/metrics';
import type { EvalPoint } from '../../store/run/run';
import { formatCount, formatLoss, plural } from '../format';
import { linearAxis, logAxis, plotWidth } from './axis';
import { Distribution } from './distribution';
import { Evaluations } from './Evaluations';
import { lossRange } from './loss-range';
import { LinePath, yOf } from './path';
import { PixelSeries } from './pixel-series';
import { Plot } from './Plot';
import { PlotHead } from './PlotHead';
import { useAxis } from './use-axis';

const HEIGHT = 200;

interface LossChartProps {
  readonly metrics: RunMetrics;
  /** Changes when the columns have grown. */
  readonly version: number;
  readonly average: MovingAverage;
  readonly evals: readonly EvalPoint[];
  readonly steps: number;
  readonly width: number;
  readonly settings: ChartSettings;
}

export const LossChart = memo(function LossChart({ metrics, version, average, evals, steps, width, settings }: LossChartProps) {
  const inner = plotWidth(width);
  const { logLoss, clipLoss } = settings;
  const axisOfSteps = useMemo(() => ({ steps, width: inner }), [steps, inner]);
  const raw = useMemo(() => new PixelSeries(metrics.step, metrics.loss, axisOfSteps), [metrics, axisOfSteps]);
  const smooth = useMemo(() => new PixelSeries(metrics.step, average.column, axisOfSteps), [metrics, average, axisOfSteps]);
  const spread = useMemo(() => new Distribution(metrics.loss), [metrics]);
  // The columns grow in place; `version` stands for their content.
  // eslint-disable-next-line react-hooks/exhaustive-deps
  const range = useMemo(() => lossRange(spread.follow(), evals, clipLoss, logLoss), [spread, evals, clipLoss, logLoss, version]);
  const { low, high, outside } = range;
  const axis = useAxis(logLoss ? logAxis(low, high, 5) : linearAxis(low, high, 4));
  const y = useMemo(() => yOf(axis, HEIGHT), [axis]);
  const rawPath = useMemo(() => new LinePath(raw, y), [raw, y]);
  const smoothPath = useMemo(() => new LinePath(smooth, y), [smooth, y]);
  average.follow();
  const marks = useMemo(() => periodEnds(metrics.periodSteps, steps, inner), [metrics, steps, inner]);
  return (
    <div className="loss-chart">
      <PlotHead title="Loss" note={clipLoss ? `${plural(outside, 'value')} outside the chart` : ''} />
      <Plot
        width={width}
        height={HEIGHT}
        steps={steps}
        axis={axis}
        format={formatTick}
        label={summary(metrics, evals)}
        showSteps
        marks={marks}
        points={raw.follow().count}
        over={<Evaluations evals={evals} steps={steps} inner={inner} height={HEIGHT} axis={axis} />}
      >
        <path className="curve-raw" d={rawPath.follow()} />
        <path className="curve-smooth" d={smoothPath.follow()} />
      </Plot>
    </div>
  );
});

const formatTick = (value: number): string => String(Number(value.toPrecision(3)));

/** Where periods end, if there is room for a mark at each. */
function periodEnds(periodSteps: number | null, steps: number, inner: number): number[] {
  const count = periodSteps === null ? 0 : Math.floor(steps / periodSteps);
  if (periodSteps === null || count === 0 || inner / count < 8) return [];
  return Array.from({ length: count }, (_, i) => (i + 1) * periodSteps);
}

/** More evaluations than this are not read out one by one. */
const MOST_SPOKEN = 6;

function summary(metrics: RunMetrics, evals: readonly EvalPoint[]): string {
  const { step, loss } = metrics;
  if (step.length === 0) return 'Loss by step: no step yet.';
  const told = evals.length > MOST_SPOKEN ? [evals[0], ...evals.slice(1 - MOST_SPOKEN)] : evals;
  const spoken = told.map((point) => `${formatLoss(point.loss)} at step ${formatCount(point.step)}`).join(', ');
  return `Loss by step: ${formatLoss(loss.at(0))} at step ${formatCount(step.at(0))}, ${formatLoss(loss.last)} at step ${formatCount(step.last)}. Evaluation: ${spoken || 'none yet'}.`;
}
