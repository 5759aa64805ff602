// The curves of a run on one step axis: loss, learning rate, gradient norm, and below them the trained layers.

import { lazy, Suspense, useMemo } from 'react';
import { policiesOf } from '../../config/policies';
import { useChartSettings } from '../../store/run/chart-settings';
import { MovingAverage } from '../../store/run/columns';
import type { RunPicture } from '../../store/run/picture';
import type { Run } from '../../store/run/run';
import { LayerRaster } from '../charts/LayerRaster';
import { LossControls } from '../charts/LossControls';
import { pointingHandlers, useLetGo } from '../charts/pointing';
import { ChartGroup } from '../charts/Readout';
import { Panel } from '../widgets/Panel';
import { useWidth } from '../widgets/size';

const RunPlots = lazy(() => import('../charts/RunPlots'));

export function Curves({ picture }: { readonly picture: RunPicture }) {
  const { run, metrics, version } = picture;
  const [box, width] = useWidth<HTMLDivElement>();
  const smoothing = useChartSettings((settings) => settings.smoothing);
  const mode = useChartSettings((settings) => settings.raster);
  const average = useMemo(() => new MovingAverage(metrics.loss, smoothing), [metrics, smoothing]);
  useLetGo(run.runId);
  const { config, prepared, evals } = run;
  // A new object when something has changed, so that the readout is drawn again.
  const input = useMemo(
    () => ({ metrics, smooth: average.follow(), evals, config, schedule: prepared?.schedule ?? [] }),
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the columns grow in place; `version` stands for their content
    [metrics, average, evals, config, prepared, version],
  );
  if (!prepared) return null;
  const sampled = prepared.schedule.length > 0;
  // Adapted weights change from period to period; the table beside the stack shows them.
  const weights = prepared.importance && !prepared.importance.adapted ? prepared.importance.weights : undefined;
  return (
    <Panel title={sampled ? 'Loss and trained layers' : 'Loss'}>
      <LossControls />
      <ChartGroup input={input} latest={run.step}>
        <div ref={box} className="chart run-plots measures" {...pointingHandlers(config.steps, width)}>
          <Suspense fallback={null}>{width > 0 && <RunPlots picture={picture} average={average} width={width} />}</Suspense>
        </div>
      </ChartGroup>
      {sampled ? (
        <LayerRaster
          schedule={prepared.schedule}
          observed={metrics.periods}
          layers={prepared.shape.layers}
          gamma={config.lisaLayers}
          periodSteps={config.stepsPerPeriod}
          steps={config.steps}
          step={run.step}
          firstStep={prepared.firstStep}
          policies={policiesOf(config, prepared.shape.tied)}
          tied={prepared.shape.tied}
          moves={metrics.moves}
          moved={metrics.moved}
          importance={weights}
          mode={mode}
        />
      ) : (
        <p className="note">{noSchedule(run)}</p>
      )}
    </Panel>
  );
}

const noSchedule = ({ config }: Run): string =>
  config.method === 'full'
    ? 'Full fine-tuning trains every layer at every step, so there is no schedule to show.'
    : 'LoRA trains the adapters of every layer at every step, so there is no schedule to show.';
