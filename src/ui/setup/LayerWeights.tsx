// The weights by which layers are drawn: one number per layer, the lowest layer first. Shown for the samplers that use them.

import { useState } from 'react';
import { tosses } from '../../lisa/schedule';
import { setConfig } from '../../store/setup/config';
import { fieldId, LABELS } from '../labels';
import { WhyOf } from '../widgets/fields';
import type { Setup } from '../setup-state';

const weightsOf = (text: string): number[] | null =>
  text.trim() === ''
    ? null
    : text
        .trim()
        .split(/[\s,;]+/)
        .filter((part) => part !== '')
        .map(Number);

export function LayerWeights({ setup: { config, faults, shape } }: { readonly setup: Setup }) {
  const [typed, setTyped] = useState('');
  if (config.lisaProfile || (config.lisaSampler !== 'weighted' && !tosses(config.lisaSampler))) return null;
  const weights = config.lisaWeights;
  const fault = faults.find(({ key }) => key === 'lisaWeights');
  // The typed text stays as long as it means what is set.
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
          : `${shape ? `${shape.layers} numbers` : 'One number per layer'} from 0, the lowest layer first. Leave empty for equal weights.`}
      </p>
    </div>
  );
}
