// Before a run: the layer schedule for the seed, and how many layers it reaches.

import { lazy, Suspense, useMemo } from 'react';
import { policiesOf } from '../../config/policies';
import type { RunConfig } from '../../config/run-config';
import type { ModelShape } from '../../model/types';
import { layersTouched, POINT_HINT, rasterHeight, ROWS_BESIDE_LAYERS, TABLE_TITLE } from '../charts/raster-size';
import { RasterLegend } from '../charts/RasterLegend';
import { formatCount, plural } from '../format';
import { SCHEDULE_PANEL } from '../labels';
import { Panel } from '../widgets/Panel';
import { PREVIEW_PERIODS, previewSchedule } from './forecasts';

// The words and the controls around it are there before it is drawn.
const LayerRaster = lazy(() => import('../charts/LayerRaster').then((part) => ({ default: part.LayerRaster })));

interface SchedulePanelProps {
  readonly config: RunConfig;
  readonly shape: ModelShape;
}

export function SchedulePanel({ config, shape }: SchedulePanelProps) {
  const preview = useMemo(() => previewSchedule(shape, config), [shape, config]);
  const { schedule, periods, expected } = preview;
  const { steps, stepsPerPeriod, lisaLayers } = config;
  const touched = useMemo(() => layersTouched(schedule), [schedule]);
  return (
    <Panel id={SCHEDULE_PANEL} title="Layer schedule for this seed" aside={<RasterLegend planned />}>
      <p className="note">
        {plural(steps, 'step')} at K = {stepsPerPeriod} are {plural(periods, 'period')} of γ = {lisaLayers}.{' '}
        {schedule.length > 0 &&
          `Seed ${config.seed} trains ${touched} of ${shape.layers} layers at least once${expected === null ? '' : `; the mean over all seeds is ${expected.toFixed(1)}`}.`}
        {schedule.length > 0 &&
          touched < shape.layers &&
          ` ${plural(shape.layers - touched, 'layer')} will not be trained. More steps, a smaller K or a larger γ reach more layers.`}
      </p>
      {schedule.length > 0 ? (
        <Suspense fallback={<RasterRoom layers={shape.layers} />}>
          <LayerRaster
            schedule={schedule}
            observed={[]}
            layers={shape.layers}
            gamma={lisaLayers}
            periodSteps={stepsPerPeriod}
            steps={steps}
            step={0}
            firstStep={1}
            policies={policiesOf(config, shape.tied)}
            tied={shape.tied}
          />
        </Suspense>
      ) : (
        <p className="note">
          {config.lisaAdapt === 'off'
            ? `More than ${formatCount(PREVIEW_PERIODS)} periods are not drawn before the run.`
            : 'Each period is drawn by what the run has measured of the layers until then, so the schedule is not known before the run.'}
        </p>
      )}
    </Panel>
  );
}

/** What stands below the raster would move when it comes, so its room is kept. */
function RasterRoom({ layers }: { readonly layers: number }) {
  return (
    <div className="raster">
      <div style={{ height: rasterHeight(layers + ROWS_BESIDE_LAYERS) }} />
      <p className="note caption">{POINT_HINT}</p>
      <details className="numbers">
        <summary>{TABLE_TITLE}</summary>
      </details>
    </div>
  );
}
