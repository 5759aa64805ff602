// The same settings on larger models, known only by their configurations: larger models save more.

import type { RunConfig } from '../../config/run-config';
import type { ErrorInfo } from '../../base/errors';
import type { DeviceLimits } from '../../dispatch/limits';
import { limitFault } from '../../plan/forecast-limits';
import { lookUpNamed } from '../../store/setup/hub-choice';
import { BAR_METHODS, purposeBar, type Bar } from '../charts/bar-model';
import { MemoryBars, scaleOf } from '../charts/MemoryBars';
import { formatBytes, formatByteTick, plural } from '../format';
import { LARGER_MODELS, type KnownModel } from '../known-models';
import { METHOD_NAMES, MODEL_PANEL } from '../labels';
import { fittedNotes } from '../model/verdict';
import { ErrorCard } from '../widgets/ErrorCard';
import { fitConfig } from './forecasts';
import { usePlannedForAll, type Planned } from './planning';

export interface LargerModel {
  readonly model: KnownModel;
  readonly fitted: RunConfig;
  readonly bars: readonly Bar[];
  readonly error: ErrorInfo | null;
  /** "its layer 0's gate_up needs one binding of 201 MB, this device allows 134 MB"; null if it fits. */
  readonly limit: string | null;
}

function planned(model: KnownModel, config: RunConfig, limits: DeviceLimits | null, { answer, error }: Planned<'methods'>): LargerModel {
  const fitted = fitConfig(config, model.shape);
  const fault = answer && limits ? limitFault(answer[config.method], limits) : null;
  return {
    model,
    fitted,
    bars: answer ? BAR_METHODS.map((method) => purposeBar(METHOD_NAMES[method], answer[method], method === config.method)) : [],
    error,
    limit:
      fault &&
      `does not fit this device: ${fault.what} needs one ${fault.kind} of ${formatBytes(fault.bytes)}; this device allows ${formatBytes(fault.limit)}`,
  };
}

/** The previous ones stay until all are there. */
export function useLargerModels(config: RunConfig, limits: DeviceLimits | null): readonly LargerModel[] {
  const answers = usePlannedForAll('larger', 'methods', LARGER_MODELS, (model) => ({ model, config: fitConfig(config, model.shape) }));
  return answers ? LARGER_MODELS.map((model, at) => planned(model, config, limits, answers[at])) : [];
}

interface LargerModelsProps {
  readonly models: readonly LargerModel[];
  readonly config: RunConfig;
  /** The right end of the bars above; null where there are none. */
  readonly ownScale: number | null;
  readonly budget: number | null;
}

export function LargerModels({ models, config, ownScale, budget }: LargerModelsProps) {
  const bars = models.flatMap((model) => model.bars);
  const scale = bars.length > 0 ? scaleOf(bars, budget) : 1;
  return (
    <div className="larger">
      <h3>The same settings on larger models</h3>
      <p className="note">
        Computed from their configurations; nothing is downloaded. The three share one scale
        {bars.length > 0 &&
          `, up to ${formatByteTick(scale)}${ownScale === null ? '' : `; the scale of the bars above ends at ${formatByteTick(ownScale)}`}`}
        .
      </p>
      {models.map((entry, i) => (
        <div className="larger-model" key={entry.model.name} data-fits={entry.limit === null}>
          <h4>
            {entry.model.name} <span className="note">{modelNote(entry.model, entry.fitted, config)}</span>
            {entry.model.repo !== undefined && <LookUp name={entry.model.name} repo={entry.model.repo} />}
          </h4>
          {entry.limit && <p className="note fault">{`${entry.model.name} ${entry.limit}.`}</p>}
          {entry.error ? (
            <ErrorCard error={entry.error} />
          ) : (
            <MemoryBars
              label={`Memory of ${entry.model.name}`}
              bars={entry.bars}
              scale={scale}
              against={0}
              budget={budget}
              compact
              axis={i === models.length - 1}
            />
          )}
        </div>
      ))}
    </div>
  );
}

/** A click looks the model up on the Hub; the model's card takes over from there. */
function LookUp({ name, repo }: { readonly name: string; readonly repo: string }) {
  return (
    <button
      type="button"
      className="link"
      aria-label={`Look up ${name} on the Hub`}
      onClick={() => {
        lookUpNamed(repo);
        document.getElementById(MODEL_PANEL)?.scrollIntoView({ block: 'nearest' });
      }}
    >
      Look up
    </button>
  );
}

function modelNote(model: KnownModel, fitted: RunConfig, config: RunConfig): string {
  return [plural(model.shape.layers, 'layer'), ...fittedNotes(fitted, config)].join(', ');
}
