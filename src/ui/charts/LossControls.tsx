// How the loss is drawn: smoothing, axis, outliers; and what the lines are.

import { setChart, useChartSettings } from '../../store/run/chart-settings';
import { Switch } from '../widgets/fields';

export function LossControls() {
  const { smoothing, logLoss, clipLoss } = useChartSettings();
  return (
    <div className="chart-controls">
      <ul className="legend inline">
        <li>
          <span className="swatch line-raw" /> each step
        </li>
        <li>
          <span className="swatch line-smooth" /> smoothed
        </li>
        <li>
          <span className="swatch line-eval" /> evaluation
        </li>
      </ul>
      <label className="smoothing" title="Weight of the past in the moving average. 0 shows every step as it is.">
        Smoothing
        <input
          type="range"
          min={0}
          max={0.99}
          step={0.01}
          value={smoothing}
          aria-valuetext={smoothing.toFixed(2)}
          onChange={({ target }) => setChart({ smoothing: Number(target.value) })}
        />
        <output>{smoothing.toFixed(2)}</output>
      </label>
      <Switch label="Log axis" checked={logLoss} onChange={(checked) => setChart({ logLoss: checked })} />
      <Switch label="Hide outliers" checked={clipLoss} onChange={(checked) => setChart({ clipLoss: checked })} />
    </div>
  );
}
