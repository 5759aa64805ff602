// Measured bytes by class over the steps, stacked, under a dashed line at the forecast for full fine-tuning.
// With slots instead of leaks the picture is flat across switches.

import { memo, useMemo } from 'react';
import { Area, AreaChart, CartesianGrid, ReferenceLine, Tooltip, XAxis, YAxis } from 'recharts';
import { MEMORY_GROUPS, type MemoryGroup, type RunMetrics } from '../../store/metrics';
import { formatBytes, formatByteTick, formatCount } from '../format';
import { GUTTER, stepTicks, valueTicks } from './axis';
import { SEGMENT_NAMES } from './bar-model';
import { decimate } from './decimate';
import { MOST_POINTS } from './loss-rows';

const HEIGHT = 170;
const MEGABYTE = 1e6;
const MARGIN = { top: 8, right: GUTTER.right, bottom: 0, left: 0 };
const TICK = { fill: 'var(--muted)', fontSize: 11 };

type MemoryRow = Readonly<Record<MemoryGroup | 'step', number>>;

interface MemoryTimelineProps {
  readonly metrics: RunMetrics;
  readonly version: number;
  readonly steps: number;
  readonly width: number;
  readonly fullForecast: number;
}

function memoryRows(metrics: RunMetrics): MemoryRow[] {
  return decimate(metrics.total.values(), MOST_POINTS).map((i) => {
    const groups = Object.fromEntries(MEMORY_GROUPS.map((group) => [group, metrics.memory[group].at(i)])) as Record<MemoryGroup, number>;
    return { step: metrics.step.at(i), ...groups };
  });
}

function MemoryTimeline({ metrics, version, steps, width, fullForecast }: MemoryTimelineProps) {
  // eslint-disable-next-line react-hooks/exhaustive-deps -- the columns grow in place; `version` stands for their content
  const rows = useMemo(() => memoryRows(metrics), [metrics, version]);
  const yTicks = valueTicks(0, Math.max(fullForecast, metrics.peak?.total ?? 0), 3);
  const last = rows.at(-1);
  return (
    <div
      role="img"
      aria-label={
        last
          ? `Memory by step, stacked by class; ${formatBytes(metrics.total.last)} after step ${last.step}. Full fine-tuning: ${formatBytes(fullForecast)} (forecast).`
          : 'Memory by step: no step yet.'
      }
    >
      <AreaChart width={width} height={HEIGHT} data={rows} margin={MARGIN} accessibilityLayer={false}>
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
          domain={[0, yTicks.at(-1) ?? MEGABYTE]}
          ticks={yTicks}
          width={GUTTER.left}
          tick={TICK}
          tickFormatter={formatByteTick}
          stroke="var(--rule)"
          tickLine={false}
        />
        <Tooltip
          isAnimationActive={false}
          content={({ active, payload }) => (active ? <MemoryTip row={payload[0]?.payload as MemoryRow | undefined} /> : null)}
        />
        {MEMORY_GROUPS.map((group) => (
          <Area
            key={group}
            dataKey={group}
            stackId="memory"
            stroke="var(--surface)"
            strokeWidth={0.5}
            fill={`var(--segment-${group})`}
            fillOpacity={1}
            dot={rows.length < 2}
            isAnimationActive={false}
          />
        ))}
        <ReferenceLine y={fullForecast} stroke="var(--ink)" strokeDasharray="5 4" ifOverflow="extendDomain" />
      </AreaChart>
    </div>
  );
}

export default memo(MemoryTimeline);

function MemoryTip({ row }: { readonly row: MemoryRow | undefined }) {
  if (!row) return null;
  return (
    <div className="tip">
      <strong>After step {row.step}</strong>
      {[...MEMORY_GROUPS].reverse().map((group) => (
        <span key={group}>
          {SEGMENT_NAMES[group]}: {formatBytes(row[group])}
        </span>
      ))}
    </div>
  );
}
