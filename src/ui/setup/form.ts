// Which settings the form shows where: the groups of the table of settings, split into what everybody sees and what the
// advanced set-up adds. A new row of the table shows up by itself. Pure.

import { FIELDS } from '../../config/fields';
import { DATA } from '../../config/fields/data';
import { INTERVALS } from '../../config/fields/intervals';
import { LISA } from '../../config/fields/lisa';
import { LORA } from '../../config/fields/lora';
import { MEMORY } from '../../config/fields/memory';
import { OPTIMIZER } from '../../config/fields/optimizer';
import { RUN } from '../../config/fields/run';
import { SAMPLING } from '../../config/fields/sampling';
import {
  appliesTo,
  fieldOf,
  isConfigKey,
  type ChoiceKey,
  type ConfigKey,
  type Method,
  type NumericKey,
  type RunConfig,
  type ToggleKey,
} from '../../config/run-config';
import { CHOICES } from '../labels';

interface Split {
  readonly simple: readonly ConfigKey[];
  readonly advanced: readonly ConfigKey[];
}

function split(...groups: readonly object[]): Split {
  const keys = groups.flatMap((group) => Object.keys(group)).filter(isConfigKey);
  return { simple: keys.filter((key) => fieldOf(key).simple), advanced: keys.filter((key) => !fieldOf(key).simple) };
}

const { method: _, ...TRAINING } = RUN;

/** Beside the method itself. */
export const METHOD_FIELDS = split(LISA, LORA).simple;
export const TRAINING_FIELDS = split(TRAINING);

interface AdvancedPanel {
  readonly title: string;
  readonly hint: string;
  readonly keys: readonly ConfigKey[];
}

/** Panels that only the advanced set-up has. */
export const ADVANCED_PANELS: readonly AdvancedPanel[] = [
  { title: 'LISA in detail', hint: 'How layers are drawn, and what happens when they leave.', keys: split(LISA).advanced },
  { title: 'Storage', hint: 'Weights that do not train can keep the type of their file.', keys: split(MEMORY).advanced },
  { title: 'Optimizer', hint: 'AdamW and the schedule of its learning rate.', keys: split(OPTIMIZER).advanced },
  { title: 'Batches', hint: 'How the data’s rows become batches.', keys: split(DATA).advanced },
  { title: 'Evaluation and checkpoints', hint: 'How often the run evaluates and saves.', keys: split(INTERVALS).advanced },
  { title: 'Samples', hint: 'What the model writes before, during and after training.', keys: split(SAMPLING).advanced },
];

/** Those of the settings that a run with this method looks at. */
export const usedBy = (method: Method, keys: readonly ConfigKey[]): ConfigKey[] => keys.filter((key) => appliesTo(key, method));

export const isNumeric = (key: ConfigKey): key is NumericKey => FIELDS[key].type === 'number';
export const isChoice = (key: ConfigKey): key is ChoiceKey => FIELDS[key].type === 'choice';
export const isToggle = (key: ConfigKey): key is ToggleKey => FIELDS[key].type === 'toggle';

const CHOICE_ROWS: { readonly [K in ChoiceKey]: { readonly values: readonly RunConfig[K][] } } = FIELDS;

/** The values of a choice with their names, in the order of the table. */
export const optionsOf = <K extends ChoiceKey>(key: K): (readonly [RunConfig[K], string])[] =>
  CHOICE_ROWS[key].values.map((value) => [value, CHOICES[key][value]]);
