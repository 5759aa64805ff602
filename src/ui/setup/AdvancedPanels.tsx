// The settings that most runs leave alone, by what they belong to. Shown in the advanced set-up.

import { useState } from 'react';
import type { NumericKey } from '../../config/run-config';
import { setConfig } from '../../store/setup/config';
import { fieldId, LABELS } from '../labels';
import { ChoiceField, FlagField, NumberField, WhyOf } from '../parts/fields';
import { Panel } from '../parts/Panel';
import type { Setup } from '../setup-state';

const OPTIMIZER: readonly NumericKey[] = ['warmup', 'weightDecay', 'gradClip', 'beta1', 'beta2', 'eps'];
const INTERVALS: readonly NumericKey[] = ['evalEvery', 'saveEvery'];
const SAMPLING: readonly NumericKey[] = ['temperature', 'sampleTokens'];

const numbersOf = (fields: Pick<Setup, 'config' | 'faults'>) =>
  function numbers(keys: readonly NumericKey[]) {
    return keys.map((key) => <NumberField key={key} name={key} {...fields} />);
  };

export function AdvancedPanels({ setup }: { readonly setup: Setup }) {
  const { config, faults } = setup;
  const fields = { config, faults };
  const numbers = numbersOf(fields);
  return (
    <>
      {config.method === 'lisa' && <LisaDetails setup={setup} />}
      {config.method !== 'full' && (
        <Panel title="Storage" hint="What does not train can keep the type of its file.">
          <ChoiceField
            name="weights"
            {...fields}
            options={[
              ['f32', '32 bits'],
              ['stored', 'As stored'],
            ]}
          />
        </Panel>
      )}
      <Panel title="Optimizer" hint="AdamW, and how its learning rate goes.">
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
      </Panel>
      <Panel title="Batches" hint="How the data’s rows become batches.">
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
          {numbers(['evalSplit'])}
        </div>
        <div className="switches">
          <FlagField name="packing" config={config} />
          <FlagField name="shuffle" config={config} />
          <FlagField name="dedupe" config={config} />
        </div>
      </Panel>
      <Panel title="Evaluation and checkpoints" hint="How often the run looks up from training.">
        <div className="pair">{numbers(INTERVALS)}</div>
      </Panel>
      <Panel title="Samples" hint="What the model writes before, during and after.">
        <div className="pair">
          <ChoiceField
            name="sampleAt"
            {...fields}
            options={[
              ['log', 'In between too'],
              ['ends', 'Before and after'],
            ]}
          />
          {numbers(SAMPLING)}
        </div>
        <Prompts prompts={config.prompts} />
      </Panel>
    </>
  );
}

function LisaDetails({ setup: { config, faults, shape } }: { readonly setup: Setup }) {
  const fields = { config, faults };
  const numbers = numbersOf(fields);
  const layers = shape?.layers ?? null;
  return (
    <Panel title="LISA in detail" hint="How layers are drawn, and what happens when they leave.">
      <div className="pair">
        <ChoiceField
          name="lisaSampler"
          {...fields}
          options={[
            ['uniform', 'Uniform'],
            ['cycle', 'Cycle'],
            ['bernoulli', 'Bernoulli'],
            ['weighted', 'Weighted'],
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
        {numbers(['lisaRewarm'])}
      </div>
      {(config.lisaSampler === 'weighted' || config.lisaSampler === 'bernoulli') && (
        <Weights weights={config.lisaWeights} layers={layers} fault={faults.find(({ key }) => key === 'lisaWeights')} />
      )}
      <FlagField name="measureUpdates" config={config} />
      <p className="note">{LABELS.measureUpdates.hint}</p>
    </Panel>
  );
}

interface WeightsProps {
  readonly weights: readonly number[] | null;
  readonly layers: number | null;
  readonly fault: Setup['faults'][number] | undefined;
}

const weightsOf = (text: string): number[] | null =>
  text.trim() === ''
    ? null
    : text
        .trim()
        .split(/[\s,;]+/)
        .filter((part) => part !== '')
        .map(Number);

/** One number a layer, the lowest layer first. */
function Weights({ weights, layers, fault }: WeightsProps) {
  const [typed, setTyped] = useState('');
  // What was typed stands as long as it is what is set.
  const text = JSON.stringify(weightsOf(typed)) === JSON.stringify(weights) ? typed : (weights ?? []).join(' ');
  const id = fieldId('lisaWeights');
  return (
    <div className={fault ? 'field faulty' : 'field'}>
      <div className="field-head">
        <label htmlFor={id}>{LABELS.lisaWeights.label}</label>
        <WhyOf name="lisaWeights" />
      </div>
      <textarea
        id={id}
        rows={2}
        spellCheck={false}
        value={text}
        aria-invalid={fault !== undefined}
        aria-describedby={`${id}-note`}
        onChange={({ target }) => {
          setTyped(target.value);
          setConfig({ lisaWeights: weightsOf(target.value) });
        }}
      />
      <p className={fault ? 'note fault' : 'note'} id={`${id}-note`}>
        {fault
          ? `${fault.problem} ${fault.remedy}`
          : `${layers ?? 'One number a layer'} numbers from 0, the lowest layer first; empty: all equal.`}
      </p>
    </div>
  );
}

const linesOf = (text: string): string[] => text.split('\n').filter((line) => line.trim() !== '');

function Prompts({ prompts }: { readonly prompts: readonly string[] }) {
  const [typed, setTyped] = useState(prompts.join('\n'));
  const text = JSON.stringify(linesOf(typed)) === JSON.stringify(prompts) ? typed : prompts.join('\n');
  const id = fieldId('prompts');
  return (
    <div className="field">
      <label htmlFor={id}>{LABELS.prompts.label}</label>
      <textarea
        id={id}
        rows={3}
        value={text}
        aria-describedby={`${id}-note`}
        onChange={({ target }) => {
          setTyped(target.value);
          setConfig({ prompts: linesOf(target.value) });
        }}
      />
      <p className="note" id={`${id}-note`}>
        {LABELS.prompts.hint} Without any, one from the data is taken.
      </p>
    </div>
  );
}
