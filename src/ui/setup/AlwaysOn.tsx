// How embedding, head and final norm train beside the drawn layers: a policy for each, or one for embedding and head where they are one
// tensor.

import { lazy, Suspense } from 'react';
import { describeRows, policiesOf, type Policy } from '../../config/policies';
import { setConfig } from '../../store/setup/config';
import { fieldId, LABELS, POLICY_NAMES } from '../labels';
import { WhyOf } from '../widgets/fields';
import type { Setup } from '../setup-state';

const LeverCost = lazy(() => import('../expect/LeverCost'));

interface PolicyFieldProps<P extends Policy> {
  readonly id: string;
  readonly label: string;
  readonly value: P;
  readonly options: readonly P[];
  readonly onChange: (policy: P) => void;
}

function PolicyField<P extends Policy>({ id, label, value, options, onChange }: PolicyFieldProps<P>) {
  return (
    <div className="field">
      <div className="field-head">
        <label htmlFor={id}>{label}</label>
      </div>
      <select id={id} value={value} onChange={({ target }) => onChange(target.value as P)}>
        {options.map((policy) => (
          <option key={policy} value={policy}>
            {POLICY_NAMES[policy]}
          </option>
        ))}
      </select>
    </div>
  );
}

const ALL: readonly Policy[] = ['on', 'off', 'rows', 'sampled'];
const WITHOUT_ROWS = ['on', 'off', 'sampled'] as const;

export function AlwaysOn({ setup: { config, model, shape, faults } }: { readonly setup: Setup }) {
  const tied = shape?.tied === true;
  const { embedding, head, norm } = policiesOf(config, tied);
  const fault = faults.find(({ key }) => key === 'lisaHead');
  return (
    <fieldset className="switches" id={fieldId('alwaysOn')} tabIndex={-1}>
      <legend>
        {LABELS.alwaysOn.label}
        <WhyOf name="alwaysOn" />
      </legend>
      {tied ? (
        // One tensor, one policy.
        <PolicyField
          id={fieldId('lisaEmbedding')}
          label="Embedding and head (tied)"
          value={embedding}
          options={ALL}
          onChange={(lisaEmbedding) => setConfig({ lisaEmbedding, lisaHead: null })}
        />
      ) : (
        <>
          <PolicyField
            id={fieldId('lisaEmbedding')}
            label={LABELS.lisaEmbedding.label}
            value={embedding}
            options={ALL}
            onChange={(lisaEmbedding) => setConfig({ lisaEmbedding })}
          />
          <PolicyField
            id={fieldId('lisaHead')}
            label={LABELS.lisaHead.label}
            value={head}
            options={ALL}
            onChange={(lisaHead) => setConfig({ lisaHead })}
          />
        </>
      )}
      <PolicyField
        id={fieldId('lisaNorm')}
        label={LABELS.lisaNorm.label}
        value={norm}
        options={WITHOUT_ROWS}
        onChange={(lisaNorm) => setConfig({ lisaNorm })}
      />
      {model?.dataTokens !== undefined && (embedding === 'rows' || head === 'rows') && (
        <p className="note">{describeRows(model.dataTokens, model.shape.vocab)}.</p>
      )}
      {embedding !== 'on' && (
        <Suspense fallback={null}>
          <LeverCost lever={embedding} />
        </Suspense>
      )}
      {fault && (
        <p className="note fault">
          {fault.problem} {fault.remedy}
        </p>
      )}
    </fieldset>
  );
}
