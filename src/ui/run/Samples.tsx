// What the model writes for the person's fixed prompts: the base model's text, and beside it the text after any sampled step.
// The newest is shown until the person chooses another.

import { useId, useState } from 'react';
import type { Run } from '../../store/run/run';
import { isActive } from '../../store/run/run';
import type { Sample } from '../../train/events';
import { formatCount, plural } from '../format';
import { Panel } from '../widgets/Panel';
import { baseSample, leftOutOf, promptsOf, sampleAfter, sampleSteps } from './sample-times';

export function Samples({ run }: { readonly run: Run }) {
  const [picked, setPicked] = useState<number | null>(null);
  const { samples, config } = run;
  const prompts = promptsOf(samples);
  const steps = sampleSteps(samples);
  // A step chosen in another run does not apply to this one.
  const at = picked !== null && steps.includes(picked) ? picked : (steps.at(-1) ?? null);
  return (
    <Panel
      title="Samples"
      aside={<span className="note">{config.temperature === 0 ? 'greedy' : `temperature ${config.temperature}`}</span>}
    >
      {prompts.length === 0 && <p className="note sample-wait">{waiting(run)}</p>}
      {steps.length > 1 && at !== null && (
        <Scrubber steps={steps} at={at} onPick={(step) => setPicked(step === steps.at(-1) ? null : step)} />
      )}
      {prompts.map((prompt) => (
        <article className="sample" key={prompt}>
          <h3>{prompt}</h3>
          {leftOutOf(samples, prompt) > 0 && (
            <p className="note">
              Its first {plural(leftOutOf(samples, prompt), 'token')} did not fit together with the answer, so the model did not see them.
            </p>
          )}
          <div className="sample-pair">
            <Base sample={baseSample(samples, prompt)} />
            <Tuned run={run} prompt={prompt} steps={steps} at={at} />
          </div>
        </article>
      ))}
    </Panel>
  );
}

function waiting({ phase, prepared }: Run): string {
  if (phase === 'sampling') return 'The base model is writing.';
  if (phase === 'failed') return 'The run ended before anything was written.';
  return prepared && prepared.firstStep > 1
    ? 'The next samples are written as the run goes on.'
    : 'The base model writes first, before the first step.';
}

interface ScrubberProps {
  readonly steps: readonly number[];
  readonly at: number;
  readonly onPick: (step: number) => void;
}

/** Moves through time, from sample to sample. */
function Scrubber({ steps, at, onPick }: ScrubberProps) {
  const id = useId();
  const last = steps.length - 1;
  return (
    <div className="scrubber">
      <label htmlFor={id}>
        Text after step <output htmlFor={id}>{formatCount(at)}</output>
      </label>
      <input
        id={id}
        type="range"
        min={0}
        max={last}
        step={1}
        value={steps.indexOf(at)}
        aria-valuetext={`after step ${at}`}
        onChange={({ target }) => onPick(steps[Number(target.value)])}
      />
      <span className="scrubber-ends" aria-hidden="true">
        <span>step {formatCount(steps[0])}</span>
        <span>{plural(steps.length, 'sample')}</span>
        <span>step {formatCount(steps[last])}</span>
      </span>
    </div>
  );
}

function Base({ sample }: { readonly sample?: Sample }) {
  return (
    <div className="sample-text" data-sample={sample ? 'before' : undefined}>
      <h4>Base model</h4>
      {sample ? <p>{shown(sample)}</p> : <p className="note">Written before the run was interrupted, and not kept.</p>}
    </div>
  );
}

interface TunedProps {
  readonly run: Run;
  readonly prompt: string;
  readonly steps: readonly number[];
  readonly at: number | null;
}

/** All texts lie on top of each other and only one is visible, so that the page does not jump between them. */
function Tuned({ run, prompt, steps, at }: TunedProps) {
  const current = at === null ? undefined : sampleAfter(run.samples, prompt, at);
  return (
    <div className="sample-text tuned" data-sample={current?.when}>
      <h4>{at === null ? 'Tuned model' : `After step ${formatCount(at)}`}</h4>
      <div className="sample-layers">
        {steps.map((step) => {
          const sample = sampleAfter(run.samples, prompt, step);
          return sample && <Layer key={step} sample={sample} seen={step === at} />;
        })}
        {!current && <p className="note">{isActive(run) ? 'Not written yet.' : 'The run ended before it was written.'}</p>}
      </div>
    </div>
  );
}

const Layer = ({ sample, seen }: { readonly sample: Sample; readonly seen: boolean }) => (
  <p className={seen ? undefined : 'unseen'} aria-hidden={!seen}>
    {shown(sample)}
  </p>
);

const shown = ({ text }: Sample): string => (text.trim() === '' ? '(nothing)' : text);
