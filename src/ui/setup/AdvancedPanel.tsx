// The settings that most runs leave alone. It opens by itself when one of them is at fault.

import { useState } from 'react';
import { DEFAULTS, type ConfigFault, type ConfigKey, type NumericKey, type RunConfig } from '../../config';
import { setConfig } from '../../store/config';
import { fieldId, LABELS } from '../labels';
import { ChoiceField, NumberField, Switch } from '../parts/fields';

const OPTIMIZER: readonly NumericKey[] = ['gradAccum', 'warmup', 'weightDecay', 'gradClip', 'beta1', 'beta2'];
const SCHEDULE: readonly NumericKey[] = ['evalEvery', 'saveEvery', 'evalSplit'];
const SAMPLING: readonly NumericKey[] = ['temperature', 'sampleTokens'];
const HELD: readonly ConfigKey[] = [
  ...OPTIMIZER,
  ...SCHEDULE,
  ...SAMPLING,
  'lrSchedule',
  'lisaSampler',
  'lisaState',
  'mask',
  'packing',
  'shuffle',
  'badRows',
  'prompts',
];

interface AdvancedPanelProps {
  readonly config: RunConfig;
  readonly faults: readonly ConfigFault[];
}

export function AdvancedPanel({ config, faults }: AdvancedPanelProps) {
  const [opened, setOpened] = useState(false);
  const faulty = faults.some((fault) => HELD.includes(fault.key));
  const changed = HELD.filter((key) => JSON.stringify(config[key]) !== JSON.stringify(DEFAULTS[key])).length;
  const fields = { config, faults };
  const numbers = (keys: readonly NumericKey[]) => keys.map((key) => <NumberField key={key} name={key} {...fields} />);
  return (
    <details className="panel advanced" open={opened || faulty} onToggle={({ currentTarget }) => setOpened(currentTarget.open)}>
      <summary>Advanced {changed > 0 && <span className="count">{changed} not at their default</span>}</summary>
      <h3>Optimizer</h3>
      <div className="pair">
        <ChoiceField
          name="lrSchedule"
          {...fields}
          options={[
            ['cosine', 'Cosine'],
            ['linear', 'Linear'],
            ['constant', 'Constant'],
          ]}
        />
        {numbers(OPTIMIZER)}
      </div>
      {config.method === 'lisa' && (
        <>
          <h3>LISA</h3>
          <div className="pair">
            <ChoiceField
              name="lisaSampler"
              {...fields}
              options={[
                ['uniform', 'Uniform'],
                ['cycle', 'Cycle'],
                ['bernoulli', 'Bernoulli'],
              ]}
            />
            <ChoiceField
              name="lisaState"
              {...fields}
              options={[
                ['drop', 'Drop'],
                ['park', 'Park'],
              ]}
            />
          </div>
        </>
      )}
      <h3>Data</h3>
      <div className="pair">
        <ChoiceField
          name="mask"
          {...fields}
          options={[
            ['assistant', 'Answers only'],
            ['all', 'Every token'],
          ]}
        />
        <ChoiceField
          name="badRows"
          {...fields}
          options={[
            ['refuse', 'Refuse the file'],
            ['skip', 'Skip them'],
          ]}
        />
      </div>
      <div className="switches">
        <Switch
          id={fieldId('packing')}
          label={LABELS.packing.label}
          checked={config.packing}
          onChange={(packing) => setConfig({ packing })}
        />
        <Switch
          id={fieldId('shuffle')}
          label={LABELS.shuffle.label}
          checked={config.shuffle}
          onChange={(shuffle) => setConfig({ shuffle })}
        />
      </div>
      <h3>Evaluation and checkpoints</h3>
      <div className="pair">{numbers(SCHEDULE)}</div>
      <h3>Samples</h3>
      <div className="pair">{numbers(SAMPLING)}</div>
      <Prompts prompts={config.prompts} />
    </details>
  );
}

function Prompts({ prompts }: { readonly prompts: readonly string[] }) {
  const [typed, setTyped] = useState(prompts.join('\n'));
  const lines = (text: string): string[] => text.split('\n').filter((line) => line.trim() !== '');
  const text = JSON.stringify(lines(typed)) === JSON.stringify(prompts) ? typed : prompts.join('\n');
  return (
    <div className="field">
      <label htmlFor={fieldId('prompts')}>{LABELS.prompts.label}</label>
      <textarea
        id={fieldId('prompts')}
        rows={3}
        value={text}
        aria-describedby={`${fieldId('prompts')}-note`}
        onChange={({ target }) => {
          setTyped(target.value);
          setConfig({ prompts: lines(target.value) });
        }}
      />
      <p className="note" id={`${fieldId('prompts')}-note`}>
        {LABELS.prompts.hint} Without any, one from the data is taken.
      </p>
    </div>
  );
}
