// Three lengths of a run as cards: their steps, and the time that they take on this device once its speed was measured.

import { useMemo } from 'react';
import { PRESETS, presetOf } from '../../config/presets';
import { setConfig } from '../../store/setup/config';
import { useMeasuredSpeed } from '../../store/run/speed';
import { plural } from '../format';
import { Why } from '../widgets/Why';
import { useForecaster } from '../preview/forecasts';
import type { Setup } from '../setup-state';
import { presetTime } from './preset-time';

export function Presets({ setup }: { readonly setup: Setup }) {
  const { config, model, faults } = setup;
  const forecaster = useForecaster((state) => state.forecaster);
  const speed = useMeasuredSpeed();
  const chosen = presetOf(config);
  const sound = model !== null && faults.length === 0;
  // The work of a step does not depend on the number of steps; where embeddings are frozen it depends on the layers drawn.
  const times = useMemo(
    () =>
      PRESETS.map(({ patch }) =>
        sound && forecaster && speed ? presetTime(patch.steps, forecaster.stepFlops(model, { ...config, ...patch }), speed) : null,
      ),
    [sound, forecaster, model, config, speed],
  );
  return (
    <fieldset className="presets">
      <legend>
        Preset
        <Why of="Preset">
          A preset sets the steps, K, and how often to evaluate and save. Times are estimates from speeds measured on this device; point at
          one to see how it is calculated.
        </Why>
      </legend>
      <div className="preset-cards">
        {PRESETS.map(({ id, name, hint, patch }, i) => (
          <label key={id} title={times[i]?.basis}>
            <input type="radio" name="preset" value={id} checked={chosen === id} onChange={() => setConfig(patch)} />
            <span className="preset-card">
              <strong>{name}</strong>
              <span>{plural(patch.steps, 'step')}</span>
              <span className="estimate">{times[i]?.text ?? ''}</span>
              <span className="hidden">{`${hint} ${times[i]?.basis ?? ''}`}</span>
            </span>
          </label>
        ))}
      </div>
      <p className="note">{PRESETS.find(({ id }) => id === chosen)?.hint ?? 'Custom'}</p>
    </fieldset>
  );
}
