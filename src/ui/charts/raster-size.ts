// What is known of a raster before it is loaded: how high it is, and how many layers it shows.

/** Of the steps below it. */
const AXIS = 20;
export const RASTER_TOP = 2;
/** Head, norm and embedding. */
export const ROWS_BESIDE_LAYERS = 3;

export const rowHeight = (rows: number): number => Math.max(7, Math.min(16, Math.floor(320 / rows)));
export const rasterHeight = (rows: number): number => RASTER_TOP + rows * rowHeight(rows) + AXIS;

export const POINT_HINT = 'Point at a period to see its layers.';
export const TABLE_TITLE = 'Periods as a table';

/** How many layers train in at least one of the periods. */
export const layersTouched = (schedule: readonly { readonly layers: readonly number[] }[]): number => {
  const touched = new Set<number>();
  for (const { layers } of schedule) for (const layer of layers) touched.add(layer);
  return touched.size;
};
