// The curves of a run, one above the other on the same steps. Loaded when a run is first shown.

import { useChartSettings } from '../../store/run/chart-settings';
import type { MovingAverage } from '../../store/run/columns';
import type { RunPicture } from '../../store/run/picture';
import { LossChart } from './LossChart';
import { NormPlot } from './NormPlot';
import { RatePlot } from './RatePlot';

interface RunPlotsProps {
  readonly picture: RunPicture;
  readonly average: MovingAverage;
  readonly width: number;
}

export default function RunPlots({ picture: { run, metrics, version }, average, width }: RunPlotsProps) {
  const settings = useChartSettings();
  const { config, evals } = run;
  const shared = { metrics, version, width };
  return (
    <>
      <LossChart {...shared} average={average} evals={evals} steps={config.steps} settings={settings} />
      <RatePlot {...shared} config={config} />
      <NormPlot {...shared} config={config} />
    </>
  );
}
