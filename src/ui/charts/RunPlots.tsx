// The curves of a run, one above the other on the same steps. Loaded when a run is first shown.

import { setChart, useChartSettings } from '../../store/run/chart-settings';
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
      <details className="rates" open={settings.rates} onToggle={({ currentTarget }) => setChart({ rates: currentTarget.open })}>
        <summary>Learning rate and gradient norm</summary>
        {settings.rates && (
          <>
            <RatePlot {...shared} config={config} />
            <NormPlot {...shared} config={config} />
          </>
        )}
      </details>
    </>
  );
}
