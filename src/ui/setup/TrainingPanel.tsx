// How long and how fast: presets, steps, learning rate; in the advanced set-up also the shape of a batch and the seed.

import { Panel } from '../widgets/Panel';
import type { Setup } from '../setup-state';
import { Fields } from './Fields';
import { TRAINING_FIELDS } from './form';
import { Presets } from './Presets';

const WHY =
  'Each step moves the weights a little against the gradient of the loss on a few rows. Held-out rows show whether that helps with text that the model has not seen.';

interface TrainingPanelProps {
  readonly setup: Setup;
  readonly advanced: boolean;
}

export function TrainingPanel({ setup, advanced }: TrainingPanelProps) {
  return (
    <Panel title="Training" hint="How many steps, and how large they are." why={WHY}>
      <Presets setup={setup} />
      <Fields setup={setup} keys={TRAINING_FIELDS.simple} />
      {advanced && <Fields setup={setup} keys={TRAINING_FIELDS.advanced} />}
    </Panel>
  );
}
