// The settings of the next run, top to bottom: model, data, method, training, and the rest under Advanced.

import { METHOD_LR, type Method } from '../../config';
import { resetConfig, setConfig, setMethod } from '../../store/config';
import type { Setup } from '../setup-state';
import { METHOD_HINTS, METHOD_NAMES } from '../labels';
import { Panel } from '../parts/Panel';
import { NumberField, Segmented, Switch } from '../parts/fields';
import { AdvancedPanel } from './AdvancedPanel';
import { DataPanel } from './DataPanel';
import { ModelPanel } from './ModelPanel';

const METHODS = (Object.keys(METHOD_LR) as Method[]).map((method) => [method, METHOD_NAMES[method]] as const);

export function SetupColumn({ setup }: { readonly setup: Setup }) {
  const { config, faults } = setup;
  return (
    <form className="setup" aria-label="Settings of the run" onSubmit={(event) => event.preventDefault()}>
      <ModelPanel />
      <DataPanel />
      <Panel title="Method">
        <Segmented legend="Method" name="method" value={config.method} options={METHODS} onChange={setMethod} />
        <p className="note">{METHOD_HINTS[config.method]}</p>
        {config.method === 'lisa' && <LisaFields setup={setup} />}
        {config.method === 'lora' && (
          <div className="pair">
            <NumberField name="loraRank" config={config} faults={faults} />
            <NumberField name="loraAlpha" config={config} faults={faults} />
          </div>
        )}
      </Panel>
      <Panel title="Training">
        <div className="pair">
          <NumberField name="steps" config={config} faults={faults} />
          <NumberField name="lr" config={config} faults={faults} />
          <NumberField name="batchSize" config={config} faults={faults} />
          <NumberField name="seqLen" config={config} faults={faults} />
          <NumberField name="seed" config={config} faults={faults} />
        </div>
      </Panel>
      <AdvancedPanel config={config} faults={faults} />
      <button type="button" className="button quiet" onClick={resetConfig}>
        Reset to defaults
      </button>
    </form>
  );
}

function LisaFields({ setup: { config, faults, shape } }: { readonly setup: Setup }) {
  const { lisaTrain } = config;
  const set = (patch: Partial<typeof lisaTrain>): void => setConfig({ lisaTrain: { ...lisaTrain, ...patch } });
  return (
    <>
      <div className="pair">
        <NumberField name="lisaLayers" config={config} faults={faults} />
        <NumberField name="lisaPeriod" config={config} faults={faults} />
      </div>
      <fieldset className="switches">
        <legend>Always on</legend>
        {shape?.tied ? (
          // One tensor, one switch.
          <Switch label="Embedding and head (tied)" checked={lisaTrain.embedding} onChange={(on) => set({ embedding: on, head: on })} />
        ) : (
          <>
            <Switch label="Embedding" checked={lisaTrain.embedding} onChange={(embedding) => set({ embedding })} />
            <Switch label="Head" checked={lisaTrain.head} onChange={(head) => set({ head })} />
          </>
        )}
        <Switch label="Final norm" checked={lisaTrain.norm} onChange={(norm) => set({ norm })} />
      </fieldset>
    </>
  );
}
