// How long and how fast: presets, steps, learning rate; with everything shown, also the shape of a batch and the seed.

import { NumberField } from '../parts/fields';
import { Panel } from '../parts/Panel';
import { BATCH_STOPS, lengthStops } from '../parts/stops';
import type { Setup } from '../setup-state';
import { Presets } from './Presets';

const WHY =
  'The weights are moved a little against the gradient of the loss on a few rows, again and again. Held-out rows show whether that helps with text that the model has not seen.';

interface TrainingPanelProps {
  readonly setup: Setup;
  readonly advanced: boolean;
}

export function TrainingPanel({ setup, advanced }: TrainingPanelProps) {
  const { config, faults, shape } = setup;
  const fields = { config, faults };
  return (
    <Panel title="Training" hint="How many steps, and how large they are." why={WHY}>
      <Presets setup={setup} />
      <div className="pair">
        <NumberField name="steps" {...fields} />
        <NumberField name="lr" {...fields} />
      </div>
      {advanced && (
        <>
          <NumberField name="seqLen" {...fields} stops={lengthStops(shape?.maxPositions ?? 1024)} />
          <NumberField name="batchSize" {...fields} stops={BATCH_STOPS} />
          <div className="pair">
            <NumberField name="gradAccum" {...fields} />
            <NumberField name="seed" {...fields} />
          </div>
        </>
      )}
    </Panel>
  );
}
