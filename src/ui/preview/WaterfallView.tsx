// From full fine-tuning down to this run: a table whose bars show what each lever saves.

import { useState } from 'react';
import type { RunConfig } from '../../config/run-config';
import type { Waterfall } from '../../plan/waterfall';
import { formatBytes, formatExactBytes } from '../format';
import { LARGER_MODELS, type KnownModel } from '../known-models';
import { METHOD_NAMES } from '../labels';
import { difference } from '../receipt';
import { ErrorCard } from '../widgets/ErrorCard';
import type { PlannedModel } from './forecast-key';
import { fitConfig } from './forecasts';
import { usePlanned } from './planning';
import { leverName, priceOf, waterfallNotes, whyNotLora } from './waterfall-text';

interface WaterfallViewProps {
  readonly config: RunConfig;
  readonly model: PlannedModel;
}

export function WaterfallView({ config, model }: WaterfallViewProps) {
  const [name, setName] = useState('');
  const other: KnownModel | undefined = LARGER_MODELS.find((known) => known.name === name);
  const asked = other ? { model: { shape: other.shape, types: other.types }, config: fitConfig(config, other.shape) } : { model, config };
  const { answer, error, stale } = usePlanned('waterfall', 'waterfall', asked);
  return (
    <section className={stale ? 'waterfall stale' : 'waterfall'} aria-label="Where the memory goes" aria-busy={stale}>
      <div className="waterfall-head">
        <h3>From full fine-tuning to this run</h3>
        <label>
          <span className="hidden">Model of the steps</span>
          <select value={name} onChange={({ target }) => setName(target.value)}>
            <option value="">The chosen model</option>
            {LARGER_MODELS.map((known) => (
              <option key={known.name}>{known.name}</option>
            ))}
          </select>
        </label>
      </div>
      {error && !stale && <ErrorCard error={error} />}
      {answer && !error && <Steps fall={answer} config={asked.config} tied={asked.model.shape.tied} />}
      {!answer && !error && <p className="note">Calculating…</p>}
    </section>
  );
}

interface StepsProps {
  readonly fall: Waterfall;
  readonly config: RunConfig;
  readonly tied: boolean;
}

function Steps({ fall, config, tied }: StepsProps) {
  const { full, run, rival, steps } = fall;
  const scale = Math.max(full, run, rival?.bytes ?? 0);
  const left = steps.map((_, at) => steps.slice(0, at + 1).reduce((bytes, { saves }) => bytes - saves, full));
  const why = whyNotLora(fall, config);
  return (
    <>
      <table>
        <thead className="hidden">
          <tr>
            <th scope="col">Step</th>
            <th scope="col">Bar</th>
            <th scope="col">Memory</th>
            <th scope="col">Price</th>
          </tr>
        </thead>
        <tbody>
          <Line name="Full fine-tuning" from={0} to={full} scale={scale} kind="whole" bytes={full} price="float32, everything kept" />
          {steps.map((step, at) => (
            <Line
              key={step.lever}
              name={leverName(step.lever, config, tied)}
              lever={step.lever}
              from={Math.min(left[at], left[at] + step.saves)}
              to={Math.max(left[at], left[at] + step.saves)}
              scale={scale}
              kind={step.saves < 0 ? 'more' : 'saved'}
              bytes={-step.saves}
              price={priceOf(step, config, tied)}
            />
          ))}
          <Line
            name={`This run, ${METHOD_NAMES[config.method]}`}
            from={0}
            to={run}
            scale={scale}
            kind="own"
            bytes={run}
            price={run < full ? `${difference(run, full)} than full fine-tuning` : ''}
          />
          {rival && (
            <Line
              name={`${METHOD_NAMES[rival.method]}, same base`}
              from={0}
              to={rival.bytes}
              scale={scale}
              kind="whole"
              bytes={rival.bytes}
              price="equal precision, recomputation and optimizer state"
            />
          )}
        </tbody>
      </table>
      {why && <p className="note">{why}</p>}
      {waterfallNotes(fall).map((note) => (
        <p className="note" key={note}>
          {note}
        </p>
      ))}
    </>
  );
}

interface LineProps {
  readonly name: string;
  readonly lever?: string;
  /** Bytes at both ends of the bar. */
  readonly from: number;
  readonly to: number;
  readonly scale: number;
  readonly kind: 'whole' | 'own' | 'saved' | 'more';
  /** Below zero: what is saved. */
  readonly bytes: number;
  readonly price: string;
}

function Line({ name, lever, from, to, scale, kind, bytes, price }: LineProps) {
  return (
    <tr data-lever={lever} data-kind={kind} data-bytes={bytes}>
      <th scope="row">{name}</th>
      <td>
        <span className="fall-track" aria-hidden="true">
          <span className="fall-bar" style={{ left: `${(from / scale) * 100}%`, width: `${((to - from) / scale) * 100}%` }} />
        </span>
      </td>
      <td title={formatExactBytes(Math.abs(bytes))}>
        {bytes < 0 ? '−' : lever && bytes > 0 ? '+' : ''}
        {formatBytes(Math.abs(bytes))}
      </td>
      <td>{price}</td>
    </tr>
  );
}
