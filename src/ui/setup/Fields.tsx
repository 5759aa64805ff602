// A list of settings as form fields, each with the control of its kind: sliders, then numbers and choices two by two, then
// controls of their own, then switches.

import type { ComponentType } from 'react';
import type { SOURCES } from '../../config/fields/sources';
import type { ConfigKey, NumericKey, OwnKey } from '../../config/run-config';
import { LABELS } from '../labels';
import { ChoiceField, FlagField, NumberField } from '../widgets/fields';
import { BATCH_STOPS, layerStops, lengthStops, periodStops } from '../widgets/stops';
import type { Setup } from '../setup-state';
import { AlwaysOn } from './AlwaysOn';
import { isChoice, isNumeric, isToggle, optionsOf, usedBy } from './form';
import { LayerWeights } from './LayerWeights';
import { Prompts } from './Prompts';
import { SaveEvery } from './SaveEvery';

/** Numbers that have a slider beside their field, and where it stops. */
const SLIDERS: Readonly<Partial<Record<NumericKey, (setup: Setup) => readonly number[]>>> = {
  lisaLayers: ({ shape }) => layerStops(shape?.layers ?? USUAL_LAYERS),
  stepsPerPeriod: ({ config }) => periodStops(config.steps),
  seqLen: ({ shape }) => lengthStops(shape?.maxPositions ?? 1024),
  batchSize: () => BATCH_STOPS,
};

/** Of small models, as long as none is chosen. */
const USUAL_LAYERS = 24;

type Control = ComponentType<{ readonly setup: Setup }>;

/** Controls of settings whose values are not a number, a choice or a switch. */
const CONTROLS: Readonly<Partial<Record<ConfigKey, Control>>> = {
  alwaysOn: AlwaysOn,
  // They are in AlwaysOn.
  lisaEmbedding: () => null,
  lisaHead: () => null,
  lisaNorm: () => null,
  lisaWeights: LayerWeights,
  lisaProfile: () => null,
  prompts: Prompts,
  saveEvery: SaveEvery,
} satisfies Record<Exclude<OwnKey, keyof typeof SOURCES>, Control>;

interface FieldsProps {
  readonly setup: Setup;
  readonly keys: readonly ConfigKey[];
}

export function Fields({ setup, keys }: FieldsProps) {
  const { config, faults } = setup;
  const shown = usedBy(config.method, keys);
  const sliders = shown.filter(isNumeric).filter((key) => SLIDERS[key]);
  const paired = shown.filter((key) => isChoice(key) || (isNumeric(key) && !SLIDERS[key]));
  const switches = shown.filter(isToggle);
  return (
    <>
      {sliders.map((key) => (
        <NumberField key={key} name={key} config={config} faults={faults} stops={SLIDERS[key]?.(setup)} />
      ))}
      {paired.length > 0 && (
        <div className="pair">
          {paired.map((key) => (
            <NumberOrChoice key={key} name={key} setup={setup} />
          ))}
        </div>
      )}
      {shown.map((key) => {
        const Control = CONTROLS[key];
        return Control && <Control key={key} setup={setup} />;
      })}
      {switches.length > 0 && (
        <div className="switches">
          {switches.map((key) => (
            <div key={key}>
              <FlagField name={key} config={config} />
              {LABELS[key].hint && <p className="note">{LABELS[key].hint}</p>}
            </div>
          ))}
        </div>
      )}
    </>
  );
}

function NumberOrChoice({ name, setup: { config, faults } }: { readonly name: ConfigKey; readonly setup: Setup }) {
  if (isNumeric(name)) return <NumberField name={name} config={config} faults={faults} />;
  return isChoice(name) && <ChoiceField name={name} config={config} faults={faults} options={optionsOf(name)} />;
}
