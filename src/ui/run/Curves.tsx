// The curves of a run on one step axis: the loss, and under it the layers that are trained.

import { lazy, Suspense } from 'react';
import type { RunPicture } from '../../store/picture';
import { LayerRaster, RasterLegend } from '../charts/LayerRaster';
import { Panel } from '../parts/Panel';
import { useWidth } from '../parts/size';

const LossChart = lazy(() => import('../charts/LossChart'));

export function Curves({ picture: { run, metrics, version } }: { readonly picture: RunPicture }) {
  const [box, width] = useWidth<HTMLDivElement>();
  const { config, prepared } = run;
  if (!prepared) return null;
  const sampled = prepared.schedule.length > 0;
  return (
    <Panel title={sampled ? 'Loss, and the layers that are trained' : 'Loss'} aside={sampled ? <RasterLegend /> : undefined}>
      <div ref={box} className="chart loss-chart">
        <Suspense fallback={null}>
          {width > 0 && <LossChart metrics={metrics} version={version} evals={run.evals} steps={config.steps} width={width} />}
        </Suspense>
      </div>
      {sampled ? (
        <LayerRaster
          schedule={prepared.schedule}
          observed={metrics.periods}
          layers={prepared.shape.layers}
          gamma={config.lisaLayers}
          periodSteps={config.lisaPeriod}
          steps={config.steps}
          step={run.step}
          firstStep={prepared.firstStep}
          alwaysOn={config.lisaTrain}
          tied={prepared.shape.tied}
        />
      ) : (
        <p className="note">
          {config.method === 'full'
            ? 'Full fine-tuning trains every layer at every step'
            : 'LoRA trains the adapters of every layer at every step'}
          : there is no schedule to show.
        </p>
      )}
    </Panel>
  );
}
