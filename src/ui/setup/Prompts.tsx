// The prompts that are sampled, one a line.

import { useState } from 'react';
import { setConfig } from '../../store/setup/config';
import { fieldId, LABELS } from '../labels';
import type { Setup } from '../setup-state';

const linesOf = (text: string): string[] => text.split('\n').filter((line) => line.trim() !== '');

export function Prompts({ setup }: { readonly setup: Setup }) {
  const { prompts } = setup.config;
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
        {LABELS.prompts.hint}
      </p>
    </div>
  );
}
