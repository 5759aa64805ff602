// How often a run saves: by time, if nothing is entered, or every so many steps.

import { useState } from 'react';
import { setConfig } from '../../store/setup/config';
import { fieldId, LABELS } from '../labels';
import { WhyOf } from '../widgets/fields';
import type { Setup } from '../setup-state';

const stepsOf = (text: string): number | null => (text.trim() === '' ? null : Number(text.trim()));

export function SaveEvery({ setup: { config, faults } }: { readonly setup: Setup }) {
  const [typed, setTyped] = useState('');
  const { saveEvery } = config;
  const fault = faults.find(({ key }) => key === 'saveEvery');
  const text = Object.is(stepsOf(typed), saveEvery) ? typed : String(saveEvery ?? '');
  const id = fieldId('saveEvery');
  return (
    <div className={fault ? 'field faulty' : 'field'}>
      <div className="field-head">
        <label htmlFor={id}>{LABELS.saveEvery.label}</label>
        <WhyOf name="saveEvery" />
      </div>
      <input
        id={id}
        type="text"
        inputMode="decimal"
        autoComplete="off"
        placeholder="By time"
        value={text}
        aria-invalid={fault !== undefined}
        aria-describedby={`${id}-note`}
        onChange={({ target }) => {
          setTyped(target.value);
          setConfig({ saveEvery: stepsOf(target.value) });
        }}
      />
      <p className={fault ? 'note fault' : 'note'} id={`${id}-note`}>
        {fault ? `${fault.problem} ${fault.remedy}` : LABELS.saveEvery.hint}
      </p>
    </div>
  );
}
