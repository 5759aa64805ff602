// What is timed: each chart of a run by itself, and all of them together.

import { useMemo, type ComponentType } from 'react';
import { policiesOf } from '../../src/config/policies';
import { useChartSettings, type RasterMode } from '../../src/store/run/chart-settings';
import { MovingAverage } from '../../src/store/run/columns';
import type { RunPicture } from '../../src/store/run/picture';
import { LossChart } from '../../src/ui/charts/LossChart';
import { LayerRaster } from '../../src/ui/charts/LayerRaster';
import MemoryTimeline from '../../src/ui/charts/MemoryTimeline';
import { NormPlot } from '../../src/ui/charts/NormPlot';
import { RatePlot } from '../../src/ui/charts/RatePlot';
import { Curves } from '../../src/ui/run/Curves';

type Part = ComponentType<{ readonly picture: RunPicture }>;

/** Width of the page's right column at 1440 pixels. */
const WIDTH = 1060;

const Loss: Part = ({ picture: { run, metrics, version } }) => {
  const average = useMemo(() => new MovingAverage(metrics.loss), [metrics]);
  const { steps } = run.config;
  return (
    <LossChart
      metrics={metrics}
      version={version}
      average={average}
      evals={run.evals}
      steps={steps}
      width={WIDTH}
      settings={useChartSettings()}
    />
  );
};

const Rate: Part = ({ picture: { run, metrics, version } }) => (
  <RatePlot metrics={metrics} version={version} config={run.config} width={WIDTH} />
);

const Norm: Part = ({ picture: { run, metrics, version } }) => (
  <NormPlot metrics={metrics} version={version} config={run.config} width={WIDTH} />
);

const rasterOf =
  (mode: RasterMode): Part =>
  ({ picture: { run, metrics } }) => (
    <LayerRaster
      schedule={run.prepared!.schedule}
      observed={metrics.periods}
      layers={run.prepared!.shape.layers}
      gamma={run.config.lisaLayers}
      periodSteps={run.config.stepsPerPeriod}
      steps={run.config.steps}
      step={run.step}
      firstStep={1}
      policies={policiesOf(run.config, run.prepared!.shape.tied)}
      tied={run.prepared!.shape.tied}
      moves={metrics.moves}
      moved={metrics.moved}
      mode={mode}
    />
  );

const Timeline: Part = ({ picture: { run, metrics, version } }) => (
  <MemoryTimeline
    metrics={metrics}
    version={version}
    steps={run.config.steps}
    width={WIDTH}
    fullForecast={run.prepared!.forecasts.full.total}
  />
);

const All: Part = ({ picture }) => (
  <>
    <Curves picture={picture} />
    <Timeline picture={picture} />
  </>
);

export const PARTS = {
  loss: Loss,
  rate: Rate,
  norm: Norm,
  raster: rasterOf('trained'),
  'raster moved': rasterOf('moved'),
  'raster age': rasterOf('age'),
  timeline: Timeline,
  all: All,
} as const;
export type PartName = keyof typeof PARTS;
