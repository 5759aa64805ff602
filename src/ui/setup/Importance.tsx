// How important the layers are, and whether LISA draws by it: measured here by training LoRA for some steps and throwing it away, or read
// from a file.

import { useState } from 'react';
import { SOURCE_WORDS } from '../../config/importance';
import { certainLayers } from '../../lisa/schedule';
import { scheduleConfig } from '../../plan/input';
import {
  cancelMeasurement,
  drawBy,
  drawEqually,
  measure,
  openProfile,
  paintWeights,
  saveProfile,
  useImportanceStore,
  type ImportanceState,
} from '../../store/setup/importance';
import { chosenSources } from '../../store/setup/sources';
import { useDeviceStore } from '../../store/run/device';
import { isActive, useRunStore } from '../../store/run/run';
import { formatList, formatLoss, plural } from '../format';
import { ImportanceTable } from '../importance/ImportanceTable';
import { Painter } from '../importance/Painter';
import { evenWeights, isPaintable } from '../importance/painting';
import { rowsOfProfile, rowsOfWeights } from '../importance/importance-rows';
import type { Setup } from '../setup-state';
import '../styles/importance.css';
import { ErrorCard } from '../widgets/ErrorCard';
import { Why } from '../widgets/Why';

const WHY =
  'LISA’s paper draws a layer the more often, the larger its weights are under LoRA compared with full training. This trains LoRA on your model and data for some steps, measures the norm of its update in every layer, and throws it away; the model stays exactly as it is. Whether drawing by importance helps depends on the model and the data: a run without it is the comparison.';

/** As many as `npm run importance` takes by default. */
const PROBE_STEPS = 30;
const MOST_STEPS = 1000;

export default function Importance({ setup }: { readonly setup: Setup }) {
  const state = useImportanceStore();
  const [steps, setSteps] = useState(String(PROBE_STEPS));
  const { lisaProfile, lisaWeights } = setup.config;
  const painted = setup.shape && isPaintable(lisaWeights, setup.shape.layers) ? lisaWeights : null;
  return (
    <section className="importance" aria-label="Layer importance">
      <div className="field-head">
        <h3>Layer importance</h3>
        <Why of="Layer importance">{WHY}</Why>
      </div>
      <p className="note" role="status">
        {statusWords(state, setup)}
      </p>
      {state.status === 'measuring' ? <Progress state={state} /> : <Controls state={state} setup={setup} typed={steps} onType={setSteps} />}
      {state.error && <ErrorCard error={state.error} />}
      {painted ? (
        <Painter weights={painted} onPaint={paintWeights} />
      ) : state.profile ? (
        <ImportanceTable rows={rowsOfProfile(state.profile)} />
      ) : (
        lisaProfile && <ImportanceTable rows={rowsOfWeights(lisaProfile.weights)} />
      )}
    </section>
  );
}

function statusWords({ status, profile }: ImportanceState, { config, shape, faults }: Setup): string {
  const { lisaProfile, lisaWeights, lisaAdapt } = config;
  if (status === 'measuring') return 'Measuring. The model and its files stay as they are.';
  const fault = faults.find(({ key }) => key === 'lisaProfile' || key === 'lisaWeights');
  if (fault) return `${fault.problem} ${fault.remedy}`;
  if (!lisaProfile && lisaWeights) return 'Layers are drawn by weights set by hand. Drag across the bars, or use the arrow keys on one.';
  if (!lisaProfile) {
    if (profile) return 'Measured, and not used.';
    return lisaAdapt === 'off' ? 'Not measured: all layers are drawn equally often.' : 'Not measured before the run; the run measures it.';
  }
  const of = profile?.model.name ? ` of ${profile.model.name}` : '';
  const steps = lisaProfile.steps > 0 ? `, ${plural(lisaProfile.steps, 'step')}` : '';
  const certain = shape && faults.length === 0 ? certainLayers(scheduleConfig(shape, config)) : [];
  const always =
    certain.length > 0
      ? ` ${certain.length === 1 ? 'Layer' : 'Layers'} ${formatList(certain)} will train in every period, because γ·p is 1 or more there; the excess goes to the others.`
      : '';
  return `Layers are drawn by importance${of}: ${SOURCE_WORDS[lisaProfile.source]}${steps}.${always}`;
}

function Progress({ state: { progress } }: { readonly state: ImportanceState }) {
  const training = progress?.phase === 'lora';
  const words = !progress ? 'Reading the data' : training ? `Step ${progress.done} of ${progress.of}` : 'Loading the model';
  return (
    <div className="importance-progress">
      <progress max={1} value={progress ? progress.done / progress.of : undefined} aria-label="Measuring importance" />
      <div className="importance-line">
        <span>
          {words}
          {progress?.loss !== undefined && `, loss ${formatLoss(progress.loss)}`}
        </span>
        <button type="button" className="button small" onClick={cancelMeasurement}>
          Cancel
        </button>
      </div>
    </div>
  );
}

interface ControlsProps {
  readonly state: ImportanceState;
  readonly setup: Setup;
  /** The number of steps as it was typed. */
  readonly typed: string;
  readonly onType: (text: string) => void;
}

function Controls({ state: { profile }, setup, typed, onType }: ControlsProps) {
  const ready = useDeviceStore(({ device }) => device.status === 'ready');
  const training = useRunStore(({ run }) => isActive(run));
  const steps = /^\d+$/.test(typed.trim()) ? Number(typed.trim()) : NaN;
  const sound = steps >= 1 && steps <= MOST_STEPS;
  // What is only about LISA's draws does not matter here.
  const reason = !ready
    ? 'The GPU is not open yet.'
    : training
      ? 'A run is training.'
      : !chosenSources(setup.sources)
        ? 'Choose a model and data first.'
        : null;
  const { lisaProfile, lisaWeights } = setup.config;
  const layers = setup.shape?.layers;
  return (
    <div className="importance-controls">
      <label className="importance-steps">
        <span>Steps</span>
        <input
          type="text"
          inputMode="numeric"
          autoComplete="off"
          value={typed}
          aria-invalid={!sound}
          onChange={({ target }) => onType(target.value)}
        />
      </label>
      <button
        type="button"
        className="button small"
        disabled={!sound || reason !== null}
        title={reason ?? undefined}
        onClick={() => measure(steps)}
      >
        {profile ? 'Measure again' : 'Measure importance'}
      </button>
      {profile && !lisaProfile && (
        <button type="button" className="button small" onClick={() => drawBy(profile)}>
          Draw by it
        </button>
      )}
      {layers !== undefined && !lisaWeights && (
        <button type="button" className="button small" onClick={() => paintWeights(evenWeights(layers))}>
          Set by hand
        </button>
      )}
      {(lisaProfile ?? lisaWeights) && (
        <button type="button" className="button small" onClick={drawEqually}>
          Draw all equally
        </button>
      )}
      {profile && (
        <button type="button" className="button small" onClick={() => saveProfile(profile)}>
          Save profile
        </button>
      )}
      <label className="file">
        <input
          type="file"
          accept=".json,application/json"
          aria-label="Open an importance profile"
          onChange={({ target }) => {
            const file = target.files?.[0];
            if (file) void openProfile(file);
            // The same file can be chosen again after it was fixed.
            target.value = '';
          }}
        />
        <span className="button small">Open profile…</span>
      </label>
      {!sound && <p className="note fault">Enter a whole number from 1 to {MOST_STEPS}.</p>}
      {sound && reason !== null && <p className="note">{reason}</p>}
    </div>
  );
}
