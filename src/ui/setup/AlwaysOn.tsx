// What LISA trains at every step beside the drawn layers: one switch for each, or one for embedding and head where they are one tensor.

import { setConfig } from '../../store/setup/config';
import { fieldId, LABELS } from '../labels';
import { Switch, WhyOf } from '../widgets/fields';
import type { Setup } from '../setup-state';

export function AlwaysOn({ setup: { config, shape } }: { readonly setup: Setup }) {
  const { alwaysOn } = config;
  const set = (patch: Partial<typeof alwaysOn>): void => setConfig({ alwaysOn: { ...alwaysOn, ...patch } });
  return (
    <fieldset className="switches" id={fieldId('alwaysOn')} tabIndex={-1}>
      <legend>
        {LABELS.alwaysOn.label}
        <WhyOf name="alwaysOn" />
      </legend>
      {shape?.tied ? (
        // One tensor, one switch.
        <Switch
          label="Embedding and head (tied)"
          checked={alwaysOn.embedding || alwaysOn.head}
          onChange={(on) => set({ embedding: on, head: on })}
        />
      ) : (
        <>
          <Switch label="Embedding" checked={alwaysOn.embedding} onChange={(embedding) => set({ embedding })} />
          <Switch label="Head" checked={alwaysOn.head} onChange={(head) => set({ head })} />
        </>
      )}
      <Switch label="Final norm" checked={alwaysOn.norm} onChange={(norm) => set({ norm })} />
    </fieldset>
  );
}
