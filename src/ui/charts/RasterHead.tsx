// Above the raster of a run: the choice of picture, and what its cells mean.

import { setChart, type RasterMode } from '../../store/run/chart-settings';
import { Segmented } from '../widgets/fields';
import { RasterLegend } from './RasterLegend';

interface RasterHeadProps {
  readonly mode: RasterMode;
  readonly periodSteps: number;
  readonly largest: number;
  /** The largest p_l; NaN where layers have no weights. */
  readonly most: number;
}

const MODES: readonly (readonly [RasterMode, string])[] = [
  ['trained', 'Trained'],
  ['moved', 'Update size'],
  ['age', 'Age'],
];
const WITH_IMPORTANCE = [...MODES, ['importance', 'Importance'] as const];

export function RasterHead({ mode, periodSteps, largest, most }: RasterHeadProps) {
  return (
    <div className="chart-controls raster-head">
      <h3>Layers by period</h3>
      <Segmented
        legend="Cells show"
        name="raster-mode"
        value={mode}
        options={Number.isNaN(most) ? MODES : WITH_IMPORTANCE}
        onChange={(raster) => setChart({ raster })}
      />
      <RasterLegend mode={mode} periodSteps={periodSteps} largest={largest} most={most} />
    </div>
  );
}
