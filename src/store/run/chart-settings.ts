// How the person wants the curves of a run drawn. Kept while the page is open.

import { create } from 'zustand';
import { EMA_DECAY } from './columns';

export type RasterMode = 'trained' | 'moved' | 'age' | 'importance';

export interface ChartSettings {
  /** Weight of the past in the smoothed loss: 0 to 0.99. */
  readonly smoothing: number;
  readonly logLoss: boolean;
  /** Leave outliers of the loss outside the picture. */
  readonly clipLoss: boolean;
  readonly raster: RasterMode;
  /** Learning rate and gradient norm are drawn, too. */
  readonly rates: boolean;
}

export const useChartSettings = create<ChartSettings>(() => ({
  smoothing: EMA_DECAY,
  logLoss: false,
  clipLoss: false,
  raster: 'trained',
  rates: false,
}));

export const setChart = (patch: Partial<ChartSettings>): void => useChartSettings.setState(patch);
