// For each layer: in how many periods it trained, and how far it moved in them. From the run's own measurements.

import type { RunPicture } from '../../store/run/picture';
import { formatPercent, plural } from '../format';
import { layerShares } from './layer-shares';

export function LayerShares({ picture: { run, metrics } }: { readonly picture: RunPicture }) {
  const { prepared } = run;
  if (!prepared || metrics.periods.length === 0) return null;
  const { layers, most, moves } = layerShares(metrics, prepared.shape.layers);
  const trained = layers.filter(({ periods }) => periods > 0).length;
  return (
    <details className="layer-shares">
      <summary>
        {trained === layers.length ? `All ${layers.length} layers` : `${trained} of ${layers.length} layers`} have trained: each layer’s
        share and movement
      </summary>
      <table>
        <thead>
          <tr>
            <th scope="col">Layer</th>
            <th scope="col">Trained in</th>
            {moves && <th scope="col">Movement (‖ΔW‖ / ‖W‖, added up over its periods)</th>}
          </tr>
        </thead>
        <tbody>
          {layers.toReversed().map(({ layer, periods, moved }) => (
            <tr key={layer}>
              <th scope="row">{layer}</th>
              <td>
                <meter min={0} max={metrics.periods.length} value={periods} />{' '}
                {`${plural(periods, 'period')} (${formatPercent(periods / metrics.periods.length)})`}
              </td>
              {moves && (
                <td>
                  <meter min={0} max={most} value={moved} /> {moved === 0 ? '–' : moved.toPrecision(2)}
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
