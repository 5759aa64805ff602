// Memory as horizontal bars on one scale. Forecasts are hatched, measurements solid; a segment that is pointed at, or reached
// with the arrow keys, shows its exact bytes and how they are calculated. A table holds the same numbers.

import { useState, type KeyboardEvent } from 'react';
import { formatBytes, formatByteTick, formatExactBytes } from '../format';
import { difference } from '../receipt';
import { valueTicks } from './axis';
import { SEGMENT_NAMES, segmentsOf, type Bar, type Segment } from './bar-model';
import { budgetOn, VERDICTS } from './budget-line';
import { formulaText } from './formula-text';

export { scaleOf } from './budget-line';

interface MemoryBarsProps {
  /** The name of the whole group, for screen readers. */
  readonly label?: string;
  readonly bars: readonly Bar[];
  /** Bytes at the right end; several groups of bars can share one. */
  readonly scale: number;
  /** Show the saving as a bracket from the end of the last chosen bar to that of this one (an index into bars). */
  readonly against?: number;
  /** The person's budget; null or absent if none is set. */
  readonly budget?: number | null;
  readonly axis?: boolean;
  readonly compact?: boolean;
}

/** Indices of the segment whose details are shown. */
interface Pointed {
  readonly bar: number;
  readonly segment: number;
}

/** Left and right move along a bar, up and down to the same category of another bar; null for any other key. */
function moved({ bar, segment }: Pointed, key: string, bars: readonly Bar[]): Pointed | null {
  const last = (at: number): number => bars[at].segments.length - 1;
  const toBar = (at: number): Pointed => {
    const id = bars[bar].segments[Math.max(0, segment)]?.id;
    const same = bars[at].segments.findIndex((other) => other.id === id);
    return { bar: at, segment: same >= 0 ? same : Math.min(Math.max(0, segment), last(at)) };
  };
  switch (key) {
    case 'ArrowLeft':
      return { bar, segment: Math.max(0, segment - 1) };
    case 'ArrowRight':
      return { bar, segment: Math.min(last(bar), segment + 1) };
    case 'ArrowUp':
      return toBar(Math.max(0, bar - 1));
    case 'ArrowDown':
      return toBar(Math.min(bars.length - 1, bar + 1));
    default:
      return null;
  }
}

const percentOf = (bytes: number, scale: number): string => `${(bytes / scale) * 100}%`;

export function MemoryBars({ label = 'Memory', bars, scale, against, budget = null, axis = true, compact = false }: MemoryBarsProps) {
  const [pointed, setPointed] = useState<Pointed | null>(null);
  const reference = against === undefined ? undefined : bars[against];
  const chosen = bars.findLastIndex((bar) => bar.chosen);
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') return setPointed(null);
    const next = moved(pointed ?? { bar: Math.max(0, chosen), segment: -1 }, event.key, bars);
    if (!next) return;
    event.preventDefault();
    setPointed(next);
  };
  return (
    <div
      className={`bars${compact ? ' compact' : ''}${budget === null ? '' : ' budgeted'}`}
      role="group"
      aria-label={`${label}: the arrow keys explain each segment`}
      tabIndex={0}
      onKeyDown={onKeyDown}
      onBlur={() => setPointed(null)}
    >
      {budget !== null && !compact && <BudgetLabel budget={budget} scale={scale} />}
      {bars.map((bar, at) => (
        <BarRow
          key={bar.label}
          bar={bar}
          scale={scale}
          reference={reference && at === chosen && reference.total > bar.total ? reference : undefined}
          budget={budget}
          pointed={pointed?.bar === at ? pointed.segment : null}
          onPoint={(segment) => setPointed(segment === null ? null : { bar: at, segment })}
        />
      ))}
      {axis && <Scale scale={scale} />}
    </div>
  );
}

interface BarRowProps {
  readonly bar: Bar;
  readonly scale: number;
  readonly reference: Bar | undefined;
  readonly budget: number | null;
  readonly pointed: number | null;
  readonly onPoint: (segment: number | null) => void;
}

function BarRow({ bar, scale, reference, budget, pointed, onPoint }: BarRowProps) {
  const spoken = bar.segments.map((segment) => `${SEGMENT_NAMES[segment.id]} ${formatBytes(segment.bytes)}`).join(', ');
  const against = budget === null ? null : budgetOn(bar, budget);
  const verdict = bar.cannot ? '; this device cannot run it' : against ? `, ${VERDICTS[against.verdict]}` : '';
  const segment = pointed === null ? undefined : bar.segments[pointed];
  return (
    <div
      className={bar.chosen ? 'bar-row chosen-row' : 'bar-row'}
      data-bar={bar.label}
      data-total={bar.total}
      data-verdict={bar.cannot ? 'cannot' : against?.verdict}
    >
      <span className="bar-label">{bar.label}</span>
      <div
        className="bar-track"
        role="img"
        aria-label={`${bar.label}, ${bar.kind}: ${formatBytes(bar.total)}${verdict}. ${spoken}.`}
        onPointerLeave={() => onPoint(null)}
      >
        {bar.segments.map(({ id, bytes }, at) => (
          <span
            key={id}
            className={`segment ${bar.kind}${at === pointed ? ' pointed' : ''}`}
            data-segment={id}
            style={{ width: percentOf(bytes, scale) }}
            onPointerEnter={() => onPoint(at)}
            onPointerDown={() => onPoint(at)}
          />
        ))}
        {against && budget !== null && budget <= scale && (
          <>
            {against.over > 0 && (
              <span className="over" style={{ left: percentOf(budget, scale), width: percentOf(against.over, scale) }} />
            )}
            <span className="budget-line" style={{ left: percentOf(budget, scale) }} />
          </>
        )}
        {reference && <Bracket bar={bar} reference={reference} scale={scale} />}
      </div>
      <span className="bar-total" title={formatExactBytes(bar.total)}>
        {formatBytes(bar.total)}
        {(bar.cannot || against) && <span className="verdict"> {bar.cannot ? 'cannot' : against?.verdict}</span>}
      </span>
      <SegmentTip bar={bar} segment={segment} />
    </div>
  );
}

function Bracket({ bar, reference, scale }: { readonly bar: Bar; readonly reference: Bar; readonly scale: number }) {
  const saved = reference.total - bar.total;
  return (
    <span
      className={saved / scale > 0.16 ? 'bracket' : 'bracket narrow'}
      style={{ left: percentOf(bar.total, scale), width: percentOf(saved, scale) }}
    >
      <span>{difference(bar.total, reference.total)}</span>
    </span>
  );
}

/** It overlaps the rows below, so that nothing moves; empty until a segment is pointed at. */
function SegmentTip({ bar, segment }: { readonly bar: Bar; readonly segment: Segment | undefined }) {
  return (
    <span className={segment ? 'tip segment-tip' : 'hidden'} role="status">
      {segment && (
        <>
          <strong>{SEGMENT_NAMES[segment.id]}</strong>
          <span>
            {formatExactBytes(segment.bytes)} ({bar.kind})
          </span>
          {segment.formula && segment.formula.length > 0 && <span>= {formulaText(segment.formula)}</span>}
        </>
      )}
    </span>
  );
}

/** Above the bars at the budget's line, or at their end if the budget is beyond the scale. */
function BudgetLabel({ budget, scale }: { readonly budget: number; readonly scale: number }) {
  const at = Math.min(1, budget / scale);
  return (
    <div className="bar-row budget-row">
      <div className="bar-track">
        <span className={at > 0.5 ? 'before' : undefined} style={{ left: `${at * 100}%` }}>
          {budget > scale ? `budget ${formatBytes(budget)}, beyond this scale` : `budget ${formatBytes(budget)}`}
        </span>
      </div>
    </div>
  );
}

function Scale({ scale }: { readonly scale: number }) {
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
      {kinds.has('measured') && (
        <>
          <li className="legend-kind">
            <span className="swatch segment forecast" data-segment="neutral" /> forecast
          </li>
          <li className="legend-kind">
            <span className="swatch segment measured" data-segment="neutral" /> measured
          </li>
        </>
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
