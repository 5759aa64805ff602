// Form fields of the settings: number, choice, switch. Each shows its own fault, tells its why, and is found by
// fieldId(key).

import { lazy, Suspense, useState, type ReactNode } from 'react';
import type { ConfigFault, ConfigKey, NumericKey, RunConfig, ToggleKey } from '../../config/run-config';
import { setConfig } from '../../store/setup/config';
import { formatCount } from '../format';
import { fieldId, LABELS } from '../labels';
import { hasWhy } from '../has-why';
import { Slider } from './Slider';
import { Why } from './Why';

interface FieldProps {
  readonly name: ConfigKey;
  readonly fault?: ConfigFault;
  readonly children: ReactNode;
}

// Long texts, of which most visitors open none.
const WhyText = lazy(() => import('./WhyText'));

/** The why of an option, where there is one. */
export function WhyOf({ name }: { readonly name: ConfigKey }) {
  return (
    hasWhy(name) && (
      <Why of={LABELS[name].label}>
        <Suspense fallback="…">
          <WhyText of={name} />
        </Suspense>
      </Why>
    )
  );
}

/** Label, control, and below it the fault or the hint (one of them, so that nothing jumps much). */
function Field({ name, fault, children }: FieldProps) {
  const { label, hint } = LABELS[name];
  const id = fieldId(name);
  return (
    <div className={fault ? 'field faulty' : 'field'}>
      <div className="field-head">
        <label htmlFor={id}>{label}</label>
        <WhyOf name={name} />
      </div>
      {children}
      {fault ? (
        <p className="note fault" id={`${id}-note`}>
          {fault.problem} {fault.remedy}
        </p>
      ) : (
        hint && (
          <p className="note" id={`${id}-note`}>
            {hint}
          </p>
        )
      )}
    </div>
  );
}

const parseNumber = (text: string): number => (text.trim() === '' ? NaN : Number(text.trim().replace(',', '.')));

interface NumberFieldProps {
  readonly name: NumericKey;
  readonly config: RunConfig;
  readonly faults: readonly ConfigFault[];
  /** Values of a slider beside the field. */
  readonly stops?: readonly number[];
}

/** Keeps what was typed, even if it is not a number (then the configuration holds NaN and the fault is shown). */
export function NumberField({ name, config, faults, stops }: NumberFieldProps) {
  const value = config[name];
  const [typed, setTyped] = useState(String(value));
  const parsed = parseNumber(typed);
  // The value changed elsewhere (a suggestion, an option that follows another): show that one.
  const text = Object.is(parsed, value) || (Number.isNaN(parsed) && Number.isNaN(value)) ? typed : String(value);
  const fault = faults.find((candidate) => candidate.key === name);
  const input = (
    <input
      id={fieldId(name)}
      type="text"
      inputMode="decimal"
      autoComplete="off"
      spellCheck={false}
      value={text}
      aria-invalid={fault !== undefined}
      aria-describedby={fault || LABELS[name].hint ? `${fieldId(name)}-note` : undefined}
      onChange={({ target }) => {
        setTyped(target.value);
        setConfig({ [name]: parseNumber(target.value) });
      }}
    />
  );
  return (
    <Field name={name} fault={fault}>
      {stops ? (
        <div className="slid">
          <Slider
            label={LABELS[name].label}
            stops={stops}
            value={value}
            text={formatCount}
            onChange={(next) => setConfig({ [name]: next })}
          />
          {input}
        </div>
      ) : (
        input
      )}
    </Field>
  );
}

interface ChoiceFieldProps<K extends ConfigKey> {
  readonly name: K;
  readonly config: RunConfig;
  readonly faults: readonly ConfigFault[];
  readonly options: readonly (readonly [RunConfig[K] & string, string])[];
}

export function ChoiceField<K extends ConfigKey>({ name, config, faults, options }: ChoiceFieldProps<K>) {
  return (
    <Field name={name} fault={faults.find((candidate) => candidate.key === name)}>
      <select id={fieldId(name)} value={String(config[name])} onChange={({ target }) => setConfig({ [name]: target.value })}>
        {options.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </Field>
  );
}

interface SwitchProps {
  readonly id?: string;
  readonly label: string;
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
}

export function Switch({ id, label, checked, onChange }: SwitchProps) {
  return (
    <label className="switch">
      <input id={id} type="checkbox" role="switch" checked={checked} onChange={({ target }) => onChange(target.checked)} />
      <span>{label}</span>
    </label>
  );
}

/** A switch for an option, with its why. */
export function FlagField({ name, config }: { readonly name: ToggleKey; readonly config: RunConfig }) {
  return (
    <div className="flag">
      <Switch id={fieldId(name)} label={LABELS[name].label} checked={config[name]} onChange={(on) => setConfig({ [name]: on })} />
      <WhyOf name={name} />
    </div>
  );
}

interface SegmentedProps<T extends string> {
  readonly legend: string;
  readonly name: string;
  readonly value: T;
  readonly options: readonly (readonly [T, string])[];
  readonly onChange: (value: T) => void;
}

/** Radio buttons side by side. */
export function Segmented<T extends string>({ legend, name, value, options, onChange }: SegmentedProps<T>) {
  return (
    <fieldset className="segmented">
      <legend className="hidden">{legend}</legend>
      {options.map(([option, text]) => (
        <label key={option}>
          <input type="radio" name={name} value={option} checked={option === value} onChange={() => onChange(option)} />
          <span>{text}</span>
        </label>
      ))}
    </fieldset>
  );
}
