// Drawn over the raster's canvas: the column and the step that someone points at, and the pinned band. The step's line is moved
// by the store, not by React.

import { useCrosshair } from '../../store/run/crosshair';
import { GUTTER, plotWidth } from './axis';
import { RASTER_TOP, rowHeight } from './raster-size';
import { CrosshairLine } from './Plot';
import type { RasterModel } from './raster-model';

interface RasterOverlayProps {
  readonly model: RasterModel;
  readonly rows: number;
  readonly width: number;
}

export function RasterOverlay({ model, rows, width }: RasterOverlayProps) {
  const pointed = useCrosshair((state) => (state.step === null ? -1 : model.columnAt(state.step)));
  const pinned = useCrosshair((state) => state.pinned);
  const { steps } = model.input;
  const inner = plotWidth(width);
  const height = rows * rowHeight(rows);
  const box = ({ from, to }: { readonly from: number; readonly to: number }) => ({
    x: (from / steps) * inner,
    width: Math.max(1, ((to - from) / steps) * inner),
    y: 0,
    height,
  });
  const column = model.columns[pointed];
  if (inner <= 0) return null;
  return (
    <svg className="raster-overlay" width={width} height={RASTER_TOP + height + 2} aria-hidden="true">
      <g transform={`translate(${GUTTER.left} ${RASTER_TOP})`}>
        {pinned && <rect className="pinned-column" {...box(pinned)} />}
        {column && <rect className="pointed-column" {...box(column)} />}
        <CrosshairLine steps={steps} inner={inner} height={height} />
      </g>
    </svg>
  );
}
