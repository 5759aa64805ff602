// Measured bytes by category over the steps, stacked, under a dashed line at the forecast for full fine-tuning. Slots are
// reused, so the chart is flat across switches. Loaded when a run is first shown.

import { memo, useMemo } from 'react';
import { MEMORY_GROUPS, type RunMetrics } from '../../store/run/metrics';
import { formatBytes, formatByteTick, formatCount } from '../format';
import { linearAxis, plotWidth } from './axis';
import { stack } from './memory-stack';
import { stairsPath, yOf } from './path';
import { PixelSeries } from './pixel-series';
import { Plot } from './Plot';
import { PlotHead } from './PlotHead';
import { useAxis } from './use-axis';
import { POINTING, pointingHandlers } from './pointing';

const HEIGHT = 140;
/** Pixels that a label needs beside its point. */
const LABEL_ROOM = 130;

interface MemoryTimelineProps {
  readonly metrics: RunMetrics;
  readonly version: number;
  readonly steps: number;
  readonly width: number;
  readonly fullForecast: number;
}

function MemoryTimeline({ metrics, steps, width, fullForecast }: MemoryTimelineProps) {
  const inner = plotWidth(width);
  const peak = metrics.peak?.total ?? 0;
  const axis = useAxis(linearAxis(0, Math.max(fullForecast, peak) * 1.02, 3));
  const series = useMemo(() => new PixelSeries(metrics.step, metrics.total, { steps, width: inner }), [metrics, steps, inner]);
  const y = useMemo(() => yOf(axis, HEIGHT), [axis]);
  const { peaks } = series.follow();
  const areas = useMemo(() => {
    const { from, x, tops } = stack(metrics, series, inner / steps);
    return tops.map((values) => stairsPath(from, x, values.map(y), HEIGHT));
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the series grows in place; `peaks` stands for its content
  }, [metrics, series, y, inner, steps, peaks]);
  return (
    <div className={POINTING} {...pointingHandlers(steps, width)}>
      <PlotHead title="Measured after each step" note="dashed: full fine-tuning, forecast" />
      <Plot
        width={width}
        height={HEIGHT}
        steps={steps}
        axis={axis}
        format={formatByteTick}
        label={summary(metrics, fullForecast)}
        showSteps
        points={series.count}
        over={
          <>
            <line className="full-line" x1={0} x2={inner} y1={y(fullForecast)} y2={y(fullForecast)} />
            <PeakLabel metrics={metrics} series={series} inner={inner} y={y} />
          </>
        }
      >
        {/* The top of the stack first: what is below covers it. */}
        {areas.map((path, i) => <path key={MEMORY_GROUPS[i]} className="memory-area" data-group={MEMORY_GROUPS[i]} d={path} />).reverse()}
      </Plot>
    </div>
  );
}

export default memo(MemoryTimeline);

interface PeakLabelProps {
  readonly metrics: RunMetrics;
  readonly series: PixelSeries;
  readonly inner: number;
  readonly y: (value: number) => number;
}

function PeakLabel({ metrics, series, inner, y }: PeakLabelProps) {
  const { peak } = metrics;
  if (!peak) return null;
  const at = series.high.subarray(0, series.count).indexOf(peak.total);
  if (at < 0) return null;
  const x = series.x[at];
  const left = x > inner - LABEL_ROOM;
  return (
    <g className="peak">
      <circle cx={x} cy={y(peak.total)} r={3} />
      <text x={left ? x - 6 : x + 6} y={y(peak.total) - 6} textAnchor={left ? 'end' : 'start'}>
        peak {formatBytes(peak.total)} measured
      </text>
    </g>
  );
}

function summary(metrics: RunMetrics, fullForecast: number): string {
  if (metrics.step.length === 0 || !metrics.peak) return 'Memory by step: no step yet.';
  return `Memory by step, stacked by category; ${formatBytes(metrics.total.last)} after step ${formatCount(metrics.step.last)}, peak ${formatBytes(metrics.peak.total)}. Full fine-tuning: ${formatBytes(fullForecast)} (forecast).`;
}
