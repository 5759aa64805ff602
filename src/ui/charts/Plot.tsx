// The frame of a chart over steps: axes, grid, a clipped area for its curves, the shared crosshair and the pinned band.
// Plain SVG: paths change ten times a second, and nothing else does.

import { memo, useEffect, useRef, type ReactNode } from 'react';
import { useCrosshair } from '../../store/run/crosshair';
import { formatCount } from '../format';
import { GUTTER, plotWidth, stepLabels, stepTicks, type ValueAxis } from './axis';

/** Room above the plot for half a label, and below it for the steps. */
const TOP = 8;
const STEPS_HEIGHT = 20;
const BOTTOM = 6;

const plotHeight = (height: number, showSteps: boolean): number => TOP + height + (showSteps ? STEPS_HEIGHT : BOTTOM);

interface PlotProps {
  /** Width of the whole chart; the curves have plotWidth(width). */
  readonly width: number;
  /** Height of the area for curves. */
  readonly height: number;
  readonly steps: number;
  readonly axis: ValueAxis;
  readonly format: (value: number) => string;
  /** The chart in words. */
  readonly label: string;
  readonly showSteps?: boolean;
  /** Steps with a small mark on the axis: where periods end. */
  readonly marks?: readonly number[];
  /** How many points are drawn. */
  readonly points: number;
  /** Curves, in pixels from the upper left corner of their area. */
  readonly children: ReactNode;
  /** Drawn over them and not clipped. */
  readonly over?: ReactNode;
}

export function Plot({ width, height, steps, axis, format, label, showSteps = false, marks, points, children, over }: PlotProps) {
  const inner = plotWidth(width);
  return (
    <svg className="plot" width={width} height={plotHeight(height, showSteps)} role="img" aria-label={label} data-points={points}>
      <g transform={`translate(${GUTTER.left} ${TOP})`}>
        <ValueLabels axis={axis} inner={inner} height={height} format={format} />
        {showSteps ? <StepLabels steps={steps} inner={inner} height={height} marks={marks} /> : null}
        <PinnedBand steps={steps} inner={inner} height={height} />
        {/* An inner svg clips by itself; two pixels more keep strokes at the edge whole. */}
        <svg x={-2} y={-2} width={inner + 4} height={height + 4} viewBox={`-2 -2 ${inner + 4} ${height + 4}`} overflow="hidden">
          {children}
        </svg>
        {over}
        <CrosshairLine steps={steps} inner={inner} height={height} />
      </g>
    </svg>
  );
}

interface AreaProps {
  readonly steps: number;
  readonly inner: number;
  readonly height: number;
}

const ValueLabels = memo(function ValueLabels({
  axis,
  inner,
  height,
  format,
}: Pick<PlotProps, 'axis' | 'height' | 'format'> & AreaPropsInner) {
  return (
    <g className="plot-values">
      {axis.ticks.map((tick) => {
        const y = Math.round((1 - axis.share(tick)) * height) + 0.5;
        return (
          <g key={tick}>
            <line className="grid" x1={0} x2={inner} y1={y} y2={y} />
            <text x={-8} y={y} dy="0.32em" textAnchor="end">
              {format(tick)}
            </text>
          </g>
        );
      })}
    </g>
  );
});

type AreaPropsInner = Pick<AreaProps, 'inner'>;

const StepLabels = memo(function StepLabels({ steps, inner, height, marks = [] }: AreaProps & Pick<PlotProps, 'marks'>) {
  const y = height + 0.5;
  const ticks = stepTicks(steps, stepLabels(inner));
  return (
    <g className="plot-steps">
      <line x1={0} x2={inner} y1={y} y2={y} />
      <path d={marks.map((step) => `M${Math.round((step / steps) * inner) - 0.5} ${y}v3`).join('')} />
      {ticks.map((tick) => (
        <text key={tick} x={(tick / steps) * inner} y={height + 16} textAnchor="middle">
          {formatCount(tick)}
        </text>
      ))}
    </g>
  );
});

/** Moved by the store, not by React. */
export const CrosshairLine = memo(function CrosshairLine({ steps, inner, height }: AreaProps) {
  const line = useRef<SVGLineElement>(null);
  useEffect(() => {
    const draw = ({ step }: { readonly step: number | null }): void => {
      const element = line.current;
      if (!element) return;
      element.setAttribute('visibility', step === null ? 'hidden' : 'visible');
      if (step === null) return;
      const x = String(Math.round((step / steps) * inner) + 0.5);
      element.setAttribute('x1', x);
      element.setAttribute('x2', x);
    };
    draw(useCrosshair.getState());
    return useCrosshair.subscribe(draw);
  }, [steps, inner]);
  return <line ref={line} className="crosshair" y1={0} y2={height} visibility="hidden" />;
});

function PinnedBand({ steps, inner, height }: AreaProps) {
  const pinned = useCrosshair((state) => state.pinned);
  if (!pinned) return null;
  const x = (pinned.from / steps) * inner;
  return <rect className="pinned-band" x={x} width={Math.max(1, (pinned.to / steps) * inner - x)} y={0} height={height} />;
}
