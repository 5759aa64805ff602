// Loss by step: every step faint, smoothed on top, evaluations as points. Loaded when a run is first shown.

import { memo, useMemo } from 'react';
import { CartesianGrid, ComposedChart, Line, Tooltip, XAxis, YAxis } from 'recharts';
import { EMA_DECAY, MovingAverage } from '../../store/columns';
import type { RunMetrics } from '../../store/metrics';
import type { EvalPoint } from '../../store/run';
import { formatCount, formatLoss } from '../format';
import { GUTTER, stepTicks, valueTicks } from './axis';
import { lossRange, lossRows, type LossRow } from './loss-rows';

const HEIGHT = 220;
const MARGIN = { top: 8, right: GUTTER.right, bottom: 0, left: 0 };
const TICK = { fill: 'var(--muted)', fontSize: 11 };

interface LossChartProps {
  readonly metrics: RunMetrics;
  /** Changes when the columns have grown. */
  readonly version: number;
  readonly evals: readonly EvalPoint[];
  readonly steps: number;
  readonly width: number;
}

function LossChart({ metrics, version, evals, steps, width }: LossChartProps) {
  const average = useMemo(() => new MovingAverage(metrics.loss), [metrics]);
  const rows = useMemo(
    () => lossRows({ step: metrics.step, loss: metrics.loss, smooth: average.follow() }, evals),
    // The columns grow in place: `version` stands for their content.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [metrics, average, version, evals],
  );
  const [low, high] = lossRange(rows);
  const yTicks = valueTicks(low, high, 4);
  const empty = !Number.isFinite(low);
  return (
    <>
      <ul className="legend inline chart-legend">
        <li>
          <span className="swatch line-raw" /> each step
        </li>
        <li>
          <span className="swatch line-smooth" /> smoothed ({EMA_DECAY})
        </li>
        <li>
          <span className="swatch line-eval" /> evaluation
        </li>
      </ul>
      <div role="img" aria-label={summary(rows)} data-points={rows.length}>
        <ComposedChart width={width} height={HEIGHT} data={rows} margin={MARGIN} accessibilityLayer={false}>
          <CartesianGrid vertical={false} stroke="var(--rule)" />
          <XAxis
            dataKey="step"
            type="number"
            domain={[0, steps]}
            tickFormatter={formatCount}
            ticks={stepTicks(steps, (width - GUTTER.left - GUTTER.right) / 90)}
            tick={TICK}
            stroke="var(--rule)"
            height={22}
          />
          <YAxis
            domain={[yTicks[0] ?? 0, yTicks.at(-1) ?? 1]}
            ticks={empty ? [] : yTicks}
            width={GUTTER.left}
            tick={TICK}
            stroke="var(--rule)"
            tickLine={false}
          />
          <Tooltip
            isAnimationActive={false}
            content={({ active, payload }) => (active ? <LossTip row={payload[0]?.payload as LossRow | undefined} /> : null)}
          />
          <Line
            dataKey="loss"
            stroke="var(--accent)"
            strokeOpacity={0.35}
            strokeWidth={1}
            dot={rows.length < 3}
            isAnimationActive={false}
            connectNulls
          />
          <Line
            dataKey="smooth"
            stroke="var(--accent)"
            strokeWidth={2}
            dot={false}
            activeDot={false}
            isAnimationActive={false}
            connectNulls
          />
          <Line
            dataKey="eval"
            stroke="var(--mark)"
            strokeWidth={1}
            strokeDasharray="2 3"
            dot={EvalDot}
            isAnimationActive={false}
            connectNulls
          />
        </ComposedChart>
      </div>
    </>
  );
}

export default memo(LossChart);

/** Most rows have no evaluation: nothing is drawn for them. */
function EvalDot({ cx, cy, payload }: { readonly cx?: number; readonly cy?: number; readonly payload?: LossRow }) {
  if (payload?.eval === undefined) return null;
  return <circle cx={cx} cy={cy} r={4} fill="var(--surface)" stroke="var(--mark)" strokeWidth={2} />;
}

function LossTip({ row }: { readonly row: LossRow | undefined }) {
  if (!row) return null;
  return (
    <div className="tip">
      <strong>Step {row.step}</strong>
      {row.loss !== undefined && <span>loss {formatLoss(row.loss)}</span>}
      {row.smooth !== undefined && <span>smoothed {formatLoss(row.smooth)}</span>}
      {row.eval !== undefined && <span>evaluation {formatLoss(row.eval)}</span>}
    </div>
  );
}

function summary(rows: readonly LossRow[]): string {
  const losses = rows.filter((row) => row.loss !== undefined);
  const first = losses[0];
  const last = losses.at(-1);
  if (!first || !last) return 'Loss by step: no step yet.';
  const evals = rows.filter((row) => row.eval !== undefined).map((row) => `${formatLoss(row.eval ?? NaN)} at step ${row.step}`);
  return `Loss by step: ${formatLoss(first.loss ?? NaN)} at step ${first.step}, ${formatLoss(last.loss ?? NaN)} at step ${last.step}. Evaluation: ${evals.join(', ') || 'none yet'}.`;
}
