// Memory as horizontal bars on one scale. Forecasts are hatched, measurements solid; every segment says its
// exact bytes when pointed at, and a table holds the same numbers.

import { formatBytes, formatByteTick, formatExactBytes } from '../format';
import { difference } from '../receipt';
import { valueTicks } from './axis';
import { SEGMENT_NAMES, segmentsOf, type Bar } from './bar-model';

interface MemoryBarsProps {
  readonly bars: readonly Bar[];
  /** Bytes at the right end; several groups of bars can share one. */
  readonly scale: number;
  /** Show the saving as a bracket from the end of the last chosen bar to that of this one (an index into bars). */
  readonly against?: number;
  readonly axis?: boolean;
  readonly compact?: boolean;
}

/** The right end of a scale that holds all these bars. */
export const scaleOf = (bars: readonly Bar[]): number => valueTicks(0, Math.max(...bars.map((bar) => bar.total), 1), 4).at(-1) ?? 1;

export function MemoryBars({ bars, scale, against, axis = true, compact = false }: MemoryBarsProps) {
  const reference = against === undefined ? undefined : bars[against];
  const chosen = bars.findLast((bar) => bar.chosen);
  return (
    <div className={compact ? 'bars compact' : 'bars'}>
      {bars.map((bar) => (
        <BarRow
          key={bar.label}
          bar={bar}
          scale={scale}
          reference={reference && bar === chosen && reference.total > bar.total ? reference : undefined}
        />
      ))}
      {axis && <Scale scale={scale} />}
    </div>
  );
}

function BarRow({ bar, scale, reference }: { readonly bar: Bar; readonly scale: number; readonly reference?: Bar }) {
  const percent = (bytes: number): string => `${(bytes / scale) * 100}%`;
  const spoken = bar.segments.map((segment) => `${SEGMENT_NAMES[segment.id]} ${formatBytes(segment.bytes)}`).join(', ');
  const saved = reference ? reference.total - bar.total : 0;
  return (
    <div className={bar.chosen ? 'bar-row chosen-row' : 'bar-row'} data-bar={bar.label} data-total={bar.total}>
      <span className="bar-label">{bar.label}</span>
      <div className="bar-track" role="img" aria-label={`${bar.label}, ${bar.kind}: ${formatBytes(bar.total)}. ${spoken}.`}>
        {bar.segments.map((segment) => (
          <span
            key={segment.id}
            className={`segment ${bar.kind}`}
            data-segment={segment.id}
            style={{ width: percent(segment.bytes) }}
            title={`${SEGMENT_NAMES[segment.id]}: ${formatExactBytes(segment.bytes)} (${bar.kind})`}
          />
        ))}
        {reference && (
          <span className={saved / scale > 0.16 ? 'bracket' : 'bracket narrow'} style={{ left: percent(bar.total), width: percent(saved) }}>
            <span>{difference(bar.total, reference.total)}</span>
          </span>
        )}
      </div>
      <span className="bar-total" title={formatExactBytes(bar.total)}>
        {formatBytes(bar.total)}
      </span>
    </div>
  );
}

export function Scale({ scale }: { readonly scale: number }) {
  const ticks = valueTicks(0, scale, 4).filter((tick) => tick <= scale);
  return (
    <div className="bar-row bar-scale" aria-hidden="true">
      <div className="bar-track">
        {ticks.map((tick) => (
          <span key={tick} className="tick" style={{ left: `${(tick / scale) * 100}%` }}>
            <span>{formatByteTick(tick)}</span>
          </span>
        ))}
      </div>
    </div>
  );
}

export function BarLegend({ bars }: { readonly bars: readonly Bar[] }) {
  const kinds = new Set(bars.map((bar) => bar.kind));
  return (
    <ul className="legend">
      {segmentsOf(bars).map((id) => (
        <li key={id}>
          <span className="swatch segment measured" data-segment={id} />
          {SEGMENT_NAMES[id]}
        </li>
      ))}
      <li className="legend-kind">
        <span className="swatch segment forecast" data-segment="neutral" /> forecast
      </li>
      {kinds.has('measured') && (
        <li className="legend-kind">
          <span className="swatch segment measured" data-segment="neutral" /> measured
        </li>
      )}
    </ul>
  );
}

/** The same numbers, exact, for reading and for screen readers. */
export function BarTable({ groups }: { readonly groups: readonly { readonly caption: string; readonly bars: readonly Bar[] }[] }) {
  return (
    <details className="numbers">
      <summary>Exact bytes</summary>
      <div className="scroll">
        {groups.map(({ caption, bars }) => (
          <table key={caption}>
            <caption>{caption}</caption>
            <thead>
              <tr>
                <th scope="col">Bytes</th>
                {bars.map((bar) => (
                  <th scope="col" key={bar.label}>
                    {bar.label}, {bar.kind}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {segmentsOf(bars).map((id) => (
                <tr key={id}>
                  <th scope="row">{SEGMENT_NAMES[id]}</th>
                  {bars.map((bar) => (
                    <td key={bar.label}>{(bar.segments.find((segment) => segment.id === id)?.bytes ?? 0).toLocaleString('en-US')}</td>
                  ))}
                </tr>
              ))}
              <tr>
                <th scope="row">Total</th>
                {bars.map((bar) => (
                  <td key={bar.label}>{bar.total.toLocaleString('en-US')}</td>
                ))}
              </tr>
            </tbody>
          </table>
        ))}
      </div>
    </details>
  );
}
