// The past learning rate, and the future one (dotted) by the schedule.

import { memo, useMemo } from 'react';
import type { RunConfig } from '../../config/run-config';
import { learningRate } from '../../config/learning-rate';
import type { RunMetrics } from '../../store/run/metrics';
import { formatCount, formatRate } from '../format';
import { linearAxis, plotWidth } from './axis';
import { LinePath, pointsPath, yOf } from './path';
import { PixelSeries } from './pixel-series';
import { Plot } from './Plot';
import { PlotHead } from './PlotHead';

const HEIGHT = 48;

interface RatePlotProps {
  readonly metrics: RunMetrics;
  readonly version: number;
  readonly config: RunConfig;
  readonly width: number;
}

/** The schedule from a step on, with at most one point per pixel. */
function* planned(config: RunConfig, from: number, inner: number): Generator<readonly [number, number]> {
  const { steps } = config;
  const stride = Math.max(1, Math.floor(steps / Math.max(1, inner)));
  for (let step = Math.max(1, from); step < steps; step += stride) yield [(step / steps) * inner, learningRate(config, step - 1)];
  yield [inner, learningRate(config, steps - 1)];
}

export const RatePlot = memo(function RatePlot({ metrics, config, width }: RatePlotProps) {
  const inner = plotWidth(width);
  const { steps, lr } = config;
  const done = metrics.step.length > 0 ? metrics.step.last : 0;
  const axis = useMemo(() => linearAxis(0, lr, 2), [lr]);
  const series = useMemo(() => new PixelSeries(metrics.step, metrics.lr, { steps, width: inner }), [metrics, steps, inner]);
  const y = useMemo(() => yOf(axis, HEIGHT), [axis]);
  const past = useMemo(() => new LinePath(series, y), [series, y]);
  // From the pixel where the past ends.
  const from = Math.floor(Math.floor((done / steps) * inner) * (steps / Math.max(1, inner)));
  const future = useMemo(() => {
    if (from >= steps) return '';
    return pointsPath([...planned(config, from, inner)].map(([x, rate]) => [x, y(rate)] as const));
  }, [config, from, steps, inner, y]);
  const label = done > 0 ? `${formatRate(metrics.lr.last)} at step ${formatCount(done)}` : 'no step yet';
  return (
    <div>
      <PlotHead title="Learning rate" note={done < steps ? 'dotted: scheduled' : ''} />
      <Plot
        width={width}
        height={HEIGHT}
        steps={steps}
        axis={axis}
        format={formatRate}
        label={`Learning rate by step: ${label}; ${formatRate(learningRate(config, steps - 1))} at the last step.`}
        points={series.follow().count}
      >
        <path className="curve-planned" d={future} />
        <path className="curve-plain" d={past.follow()} />
      </Plot>
    </div>
  );
});
