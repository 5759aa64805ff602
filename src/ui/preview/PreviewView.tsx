// Before a run: the memory that each method will need, the layers that this seed will draw, and what that covers.

import { useDeferredValue, useState } from 'react';
import type { RunConfig } from '../../config';
import type { ModelShape } from '../../model/types';
import { purposeBar, type Bar } from '../charts/bar-model';
import { BarLegend, BarTable, MemoryBars, scaleOf } from '../charts/MemoryBars';
import { formatByteTick, formatCount, formatLarge, formatPercent, plural } from '../format';
import { LARGER_MODELS, type KnownModel } from '../known-models';
import { METHOD_NAMES } from '../labels';
import { ErrorCard } from '../parts/ErrorCard';
import { Panel } from '../parts/Panel';
import { forecastReceipt } from '../receipt';
import type { Setup } from '../setup-state';
import { fitConfig, forecastsFor, type Forecasts } from './forecasts';
import { SchedulePanel } from './SchedulePanel';

interface Valid {
  readonly config: RunConfig;
  readonly shape: ModelShape;
}

/** The settings if they can run, else the last ones that could: a half-typed number does not blank the page. */
function useLastValid({ config, shape, faults }: Setup): { readonly valid: Valid | null; readonly stale: boolean } {
  const [last, setLast] = useState<Valid | null>(null);
  const good = shape !== null && faults.length === 0;
  if (good && (last?.config !== config || last.shape !== shape)) setLast({ config, shape });
  // Another model's bars would be a lie, not a memory.
  return { valid: last?.shape === shape ? last : null, stale: !good };
}

export function PreviewView({ setup }: { readonly setup: Setup }) {
  const { valid, stale } = useLastValid(setup);
  const shown = useDeferredValue(valid);
  if (!shown) {
    return <p className="note empty">The memory of each method is shown here as soon as the model is known and the settings can run.</p>;
  }
  return (
    <div className={stale ? 'stale' : undefined}>
      {stale && <p className="note stale-note">Shown for the last settings that can run.</p>}
      <MemoryPreview {...shown} builtin={setup.sources.modelKind === 'builtin'} />
      {shown.config.method === 'lisa' && <SchedulePanel {...shown} />}
    </div>
  );
}

const barsOf = (forecasts: Forecasts, config: RunConfig): Bar[] =>
  (['full', 'lora', 'lisa'] as const).map((method) => purposeBar(METHOD_NAMES[method], forecasts[method], method === config.method));

function MemoryPreview({ config, shape, builtin }: Valid & { readonly builtin: boolean }) {
  const { forecasts, error } = forecastsFor(shape, config);
  if (!forecasts) return <ErrorCard error={error} />;
  const bars = barsOf(forecasts, config);
  const chosen = forecasts[config.method];
  const parameters = forecasts.full.trainable;
  return (
    <Panel title="Memory before the start" aside={<span className="tag">forecast</span>}>
      <p className="receipt">{forecastReceipt(config.method, chosen.total, forecasts.full.total)}</p>
      <MemoryBars bars={bars} scale={scaleOf(bars)} against={0} />
      <BarLegend bars={bars} />
      <p className="note facts">
        {METHOD_NAMES[config.method]} trains {formatLarge(chosen.trainable)} of {formatLarge(parameters)} parameters in a step (
        {formatPercent(chosen.trainable / parameters)})
      </p>
      {builtin ? <LargerModels config={config} own={bars} /> : <BarTable groups={[{ caption: 'The chosen model', bars }]} />}
    </Panel>
  );
}

/** The same bars where the saving is felt; one scale for these models, and it is not that of the small one. */
function LargerModels({ config, own }: { readonly config: RunConfig; readonly own: readonly Bar[] }) {
  const planned = LARGER_MODELS.map((model) => ({ model, fitted: fitConfig(config, model.shape) })).map((entry) => ({
    ...entry,
    result: forecastsFor(entry.model.shape, entry.fitted),
  }));
  const groups = planned.flatMap(({ model, fitted, result }) =>
    result.forecasts ? [{ model, fitted, bars: barsOf(result.forecasts, config) }] : [],
  );
  const scale = groups.length > 0 ? scaleOf(groups.flatMap((group) => group.bars)) : 1;
  return (
    <>
      <div className="larger">
        <h3>The same settings on larger models</h3>
        <p className="note">
          From their configurations alone, nothing is loaded. One scale for the three, up to {formatByteTick(scale)}; that of the bars above
          ends at {formatByteTick(scaleOf(own))}.
        </p>
        {planned.map(({ model, result }) => result.error && <ErrorCard key={model.name} error={result.error} />)}
        {groups.map(({ model, fitted, bars }, i) => (
          <div className="larger-model" key={model.name}>
            <h4>
              {model.name} <span className="note">{modelNote(model, fitted, config)}</span>
            </h4>
            <MemoryBars bars={bars} scale={scale} against={0} compact axis={i === groups.length - 1} />
          </div>
        ))}
      </div>
      <BarTable
        groups={[{ caption: 'The built-in model', bars: own }, ...groups.map(({ model, bars }) => ({ caption: model.name, bars }))]}
      />
    </>
  );
}

function modelNote(model: KnownModel, fitted: RunConfig, config: RunConfig): string {
  const notes = [plural(model.shape.layers, 'layer')];
  if (fitted.seqLen < config.seqLen) notes.push(`length ${formatCount(fitted.seqLen)}, its most`);
  if (fitted.lisaLayers < config.lisaLayers) notes.push(`γ = ${fitted.lisaLayers}, its most`);
  return notes.join(', ');
}
