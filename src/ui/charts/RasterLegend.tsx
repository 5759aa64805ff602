// What the cells of the raster mean, in each picture.

import type { RasterMode } from '../../store/run/chart-settings';
import { ageLegend, changeBounds, changeLegend, importanceLegend, type Tone } from './raster-tones';

interface RasterLegendProps {
  /** Before a run: nothing is trained yet. */
  readonly planned?: boolean;
  readonly mode?: RasterMode;
  /** K */
  readonly periodSteps?: number;
  /** Largest measured change so far; NaN: none. */
  readonly largest?: number;
  /** The largest p_l. */
  readonly most?: number;
}

export function RasterLegend({ planned = false, mode = 'trained', periodSteps = 1, largest = NaN, most = NaN }: RasterLegendProps) {
  return (
    <ul className="legend inline">
      {mode === 'moved' && <li>‖ΔW‖ / ‖W‖ per period:</li>}
      {mode === 'moved' &&
        !Number.isNaN(largest) &&
        changeLegend(changeBounds(largest)).map((entry) => <ToneEntry key={entry.tone} {...entry} mode="moved" />)}
      {mode === 'age' && <li>Steps since last trained:</li>}
      {mode === 'age' && ageLegend(periodSteps).map((entry) => <ToneEntry key={entry.tone} {...entry} mode="age" />)}
      {mode === 'importance' && <li>Trained, by importance p:</li>}
      {mode === 'importance' && importanceLegend(most).map((entry) => <ToneEntry key={entry.tone} {...entry} mode="importance" />)}
      {!planned && mode !== 'age' && mode !== 'importance' && (
        <li>
          <span className="swatch raster-trained" /> {mode === 'moved' ? 'trained, not measured yet' : 'trained'}
        </li>
      )}
      <li>
        <span className="swatch raster-always" /> always on
      </li>
      <li>
        <span className="swatch raster-planned" /> scheduled
      </li>
    </ul>
  );
}

function ToneEntry({ tone, text, mode }: { readonly tone: Tone; readonly text: string; readonly mode: RasterMode }) {
  return (
    <li>
      <span className="swatch tone" data-tone={tone} data-mode={mode} /> {text}
    </li>
  );
}
