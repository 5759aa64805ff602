// A run, live or ended: its numbers, the loss with the layer raster under it, memory, samples. Everything here
// comes from the run's own configuration and events.

import { lazy, Suspense } from 'react';
import type { RunPicture } from '../../store/picture';
import type { ActionState } from '../actions';
import { LayerRaster, RasterLegend } from '../charts/LayerRaster';
import { Panel } from '../parts/Panel';
import { useWidth } from '../parts/size';
import { Facts } from './Facts';
import { MemoryPanel } from './MemoryPanel';
import { Outcome } from './Outcome';
import { Samples } from './Samples';

const LossChart = lazy(() => import('../charts/LossChart'));

interface RunViewProps {
  readonly picture: RunPicture;
  readonly state: ActionState;
}

export function RunView({ picture, state }: RunViewProps) {
  return (
    <>
      {picture.kind === 'live' && <Outcome run={picture.run} state={state} />}
      <Facts picture={picture} />
      <Curves picture={picture} />
      <MemoryPanel picture={picture} />
      <Samples run={picture.run} />
    </>
  );
}

function Curves({ picture: { run, metrics, version } }: { readonly picture: RunPicture }) {
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
