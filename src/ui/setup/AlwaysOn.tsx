// What LISA trains at every step beside the drawn layers: one switch for each, or one for embedding and head where they are one tensor.

import { setConfig } from '../../store/setup/config';
import { fieldId, LABELS } from '../labels';
import { Switch, WhyOf } from '../parts/fields';
import type { Setup } from '../setup-state';

export function AlwaysOn({ setup: { config, shape } }: { readonly setup: Setup }) {
  const { lisaTrain } = config;
  const set = (patch: Partial<typeof lisaTrain>): void => setConfig({ lisaTrain: { ...lisaTrain, ...patch } });
  return (
    <fieldset className="switches" id={fieldId('lisaTrain')} tabIndex={-1}>
      <legend>
        {LABELS.lisaTrain.label}
        <WhyOf name="lisaTrain" />
      </legend>
      {shape?.tied ? (
        // One tensor, one switch.
        <Switch
          label="Embedding and head (tied)"
          checked={lisaTrain.embedding || lisaTrain.head}
          onChange={(on) => set({ embedding: on, head: on })}
        />
      ) : (
        <>
          <Switch label="Embedding" checked={lisaTrain.embedding} onChange={(embedding) => set({ embedding })} />
          <Switch label="Head" checked={lisaTrain.head} onChange={(head) => set({ head })} />
        </>
      )}
      <Switch label="Final norm" checked={lisaTrain.norm} onChange={(norm) => set({ norm })} />
    </fieldset>
  );
}
