// Memory of a run: forecasts hatched, measurements solid, one scale; and the measured bytes over the steps.

import { lazy, Suspense } from 'react';
import { groupBytes, MEMORY_GROUPS, type GroupBytes, type RunMetrics } from '../../store/run/metrics';
import type { RunPicture } from '../../store/run/picture';
import type { Run } from '../../store/run/run';
import { classBar, measuredBar, type Bar } from '../charts/bar-model';
import { BarLegend, BarTable, MemoryBars, scaleOf } from '../charts/MemoryBars';
import { METHOD_NAMES } from '../labels';
import { Panel } from '../widgets/Panel';
import { useWidth } from '../widgets/size';
import { measuredReceipt } from '../receipt';
import { Receipt } from './Receipt';

const MemoryTimeline = lazy(() => import('../charts/MemoryTimeline'));

function lastGroups(metrics: RunMetrics): GroupBytes {
  return Object.fromEntries(MEMORY_GROUPS.map((group) => [group, metrics.memory[group].last])) as GroupBytes;
}

/** The measured rows, if there are measurements: the last step, and the peak. */
function measuredBars(run: Run, metrics: RunMetrics): Bar[] {
  const bars: Bar[] = [];
  if (metrics.step.length > 0 && run.phase !== 'done') bars.push(measuredBar('Now', lastGroups(metrics), metrics.total.last));
  const { report } = run;
  if (report) bars.push(measuredBar('Peak', groupBytes(report.memory.peak), report.memory.peak.total));
  return bars;
}

export function MemoryPanel({ picture: { run, metrics, version } }: { readonly picture: RunPicture }) {
  const [box, width] = useWidth<HTMLDivElement>();
  const { prepared, config, report } = run;
  if (!prepared) return null;
  const { forecasts } = prepared;
  const forecastBars = (['full', 'lora', 'lisa'] as const).map((method) =>
    classBar(METHOD_NAMES[method], forecasts[method].bytes, forecasts[method].total, method === config.method),
  );
  const bars = [...forecastBars, ...measuredBars(run, metrics)];
  const peak = report?.memory.peak.total ?? metrics.peak?.total;
  return (
    <Panel title="Memory on the GPU">
      {peak === undefined ? (
        <p className="receipt">Nothing is measured before the first step.</p>
      ) : (
        <Receipt text={measuredReceipt(config.method, peak, forecasts.full.total, report !== null)} />
      )}
      <MemoryBars bars={bars} scale={scaleOf(bars)} against={0} />
      <BarLegend bars={bars} />
      <div ref={box} className="chart memory-chart measures">
        <Suspense fallback={null}>
          {width > 0 && (
            <MemoryTimeline metrics={metrics} version={version} steps={config.steps} width={width} fullForecast={forecasts.full.total} />
          )}
        </Suspense>
      </div>
      <p className="note">
        Measured: live bytes of the page’s GPU buffers after each step. Dashed line: the forecast for full fine-tuning.
      </p>
      <BarTable groups={[{ caption: 'This run', bars }]} />
    </Panel>
  );
}
