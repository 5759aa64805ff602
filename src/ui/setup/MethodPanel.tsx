// How the model is trained: LISA, full or LoRA, and the settings of the chosen one.

import { METHOD_LR, type Method } from '../../config/run-config';
import { setConfig, setMethod } from '../../store/setup/config';
import { fieldId, METHOD_HINTS, METHOD_NAMES } from '../labels';
import { NumberField, Segmented, Switch, WhyOf } from '../parts/fields';
import { Panel } from '../parts/Panel';
import { layerStops, periodStops } from '../parts/stops';
import type { Setup } from '../setup-state';
import { Coverage } from './Coverage';

const METHODS = (Object.keys(METHOD_LR) as Method[]).map((method) => [method, METHOD_NAMES[method]] as const);

const WHY =
  'Full training keeps a gradient and Adam’s m and v for every weight: four times the model’s memory. LISA keeps them for γ layers at a time and moves on, so every layer is trained in full, but not at once. LoRA leaves the model as it is and trains small matrices beside it.';

interface MethodPanelProps {
  readonly setup: Setup;
  readonly advanced: boolean;
}

export function MethodPanel({ setup, advanced }: MethodPanelProps) {
  const { config, faults } = setup;
  return (
    <Panel title="Method" hint={METHOD_HINTS[config.method]} why={WHY}>
      <Segmented legend="Method" name="method" value={config.method} options={METHODS} onChange={setMethod} />
      {config.method === 'lisa' && <LisaFields setup={setup} advanced={advanced} />}
      {config.method === 'lora' && (
        <div className="pair">
          <NumberField name="loraRank" config={config} faults={faults} />
          <NumberField name="loraAlpha" config={config} faults={faults} />
        </div>
      )}
    </Panel>
  );
}

function LisaFields({ setup, advanced }: MethodPanelProps) {
  const { config, faults, shape } = setup;
  return (
    <>
      <NumberField name="lisaLayers" config={config} faults={faults} stops={layerStops(shape?.layers ?? config.lisaLayers)} />
      <NumberField name="lisaPeriod" config={config} faults={faults} stops={periodStops(config.steps)} />
      <Coverage setup={setup} />
      {advanced && <AlwaysOn setup={setup} />}
    </>
  );
}

function AlwaysOn({ setup: { config, shape } }: { readonly setup: Setup }) {
  const { lisaTrain } = config;
  const set = (patch: Partial<typeof lisaTrain>): void => setConfig({ lisaTrain: { ...lisaTrain, ...patch } });
  return (
    <fieldset className="switches" id={fieldId('lisaTrain')} tabIndex={-1}>
      <legend>
        Always on
        <WhyOf name="lisaTrain" />
      </legend>
      {shape?.tied ? (
        // One tensor, one switch.
        <Switch
          label="Embedding and head (tied)"
          checked={lisaTrain.embedding || lisaTrain.head}
          onChange={(on) => set({ embedding: on, head: on })}
        />
      ) : (
        <>
          <Switch label="Embedding" checked={lisaTrain.embedding} onChange={(embedding) => set({ embedding })} />
          <Switch label="Head" checked={lisaTrain.head} onChange={(head) => set({ head })} />
        </>
      )}
      <Switch label="Final norm" checked={lisaTrain.norm} onChange={(norm) => set({ norm })} />
    </fieldset>
  );
}
