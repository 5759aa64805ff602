// The gradient's norm before clipping, the line at which it is clipped, and how often it was clipped.

import { memo, useMemo } from 'react';
import type { RunConfig } from '../../config/run-config';
import type { RunMetrics } from '../../store/run/metrics';
import { formatCount, formatRate, plural } from '../format';
import { linearAxis, plotWidth } from './axis';
import { LinePath, yOf } from './path';
import { PixelSeries } from './pixel-series';
import { Plot } from './Plot';
import { PlotHead } from './PlotHead';
import { isClipped } from './readout';
import { Tally } from './tally';
import { useAxis } from './use-axis';

const HEIGHT = 48;
/** A clip line this many times above all norms would flatten them, so it is written, not drawn. */
const FAR = 4;

interface NormPlotProps {
  readonly metrics: RunMetrics;
  readonly version: number;
  readonly config: RunConfig;
  readonly width: number;
}

export const NormPlot = memo(function NormPlot({ metrics, config, width }: NormPlotProps) {
  const inner = plotWidth(width);
  const { steps, gradClip } = config;
  const series = useMemo(() => new PixelSeries(metrics.step, metrics.gradNorm, { steps, width: inner }), [metrics, steps, inner]);
  const clipped = useMemo(() => new Tally(metrics.gradNorm, (norm) => isClipped(norm, gradClip)), [metrics, gradClip]);
  const high = series.follow().highest;
  const count = clipped.follow();
  const drawsClip = gradClip > 0 && (count > 0 || !(high > 0) || gradClip <= high * FAR);
  const top = drawsClip ? Math.max(gradClip, high) : high;
  const axis = useAxis(linearAxis(0, top, 2));
  const y = useMemo(() => yOf(axis, HEIGHT), [axis]);
  const path = useMemo(() => new LinePath(series, y), [series, y]);
  const note = clipNote(gradClip, count, metrics.gradNorm.length);
  return (
    <div>
      <PlotHead title="Gradient norm" note={note} />
      <Plot
        width={width}
        height={HEIGHT}
        steps={steps}
        axis={axis}
        format={formatRate}
        label={`Gradient norm by step: ${metrics.gradNorm.length > 0 ? `${formatRate(metrics.gradNorm.last)} at step ${formatCount(metrics.step.last)}` : 'no step yet'}; ${note}.`}
        points={series.count}
        over={drawsClip && <line className="clip-line" x1={0} x2={inner} y1={y(gradClip)} y2={y(gradClip)} />}
      >
        <path className="curve-plain" d={path.follow()} />
      </Plot>
    </div>
  );
});

function clipNote(gradClip: number, clipped: number, steps: number): string {
  if (gradClip === 0) return 'clipping is off';
  const line = `clipped to ${formatRate(gradClip)}`;
  return steps === 0 ? line : `${line}: ${formatCount(clipped)} of ${plural(steps, 'step')}`;
}
