// Base and tuned model side by side: a short conversation with the same prompt and seed, blind if the person likes.
// store/run/compare.ts keeps the questions and answers.

import { useState, type FormEvent } from 'react';
import { setView, type Run } from '../../store/run/run';
import {
  askBoth,
  cancelAnswers,
  castVote,
  isAnswering,
  newConversation,
  quickPrompts,
  readiness,
  resetTally,
  setBlind,
  setSampling,
  useCompareStore,
  type Readiness,
  type Sampling,
  type Vote,
} from '../../store/run/compare';
import { useFinishedStore } from '../../store/run/finished';
import type { ActionState } from '../actions';
import { formatPercent, plural } from '../format';
import { ErrorCard } from '../widgets/ErrorCard';
import { Switch } from '../widgets/fields';
import { Panel } from '../widgets/Panel';
import { StoredModel } from '../run/StoredModel';
import { Conversation } from './Conversation';
import '../styles/compare.css';

const NOT_READY: Readonly<Record<Exclude<Readiness, 'ready'>, string>> = {
  none: 'Train a model first. Then the base and the tuned model answer the same prompts side by side.',
  going: 'The run is still going. When it ends, the base and the tuned model answer the same prompts side by side.',
  failed: 'The last run failed, so there is no tuned model to compare.',
  gone: 'The model of this run is not stored in this browser any more.',
  folder: '',
};

export default function CompareScreen({ state }: { readonly state: ActionState }) {
  const ready = useFinishedStore((finished) => readiness(state.run, finished));
  if (ready !== 'ready' || !state.run) {
    return (
      <div className="stage">
        <Panel title="Compare">
          <p className="note">{NOT_READY[ready === 'ready' ? 'none' : ready]}</p>
          {ready === 'folder' && state.run && <StoredModel run={state.run} />}
          <div className="buttons">
            <button type="button" className="button" onClick={() => setView(state.run ? 'run' : 'setup')}>
              {state.run ? 'To the run' : 'To the set-up'}
            </button>
          </div>
        </Panel>
      </div>
    );
  }
  return (
    <div className="stage">
      <Comparison run={state.run} />
    </div>
  );
}

/** Which model answers, where it is not the one that is exported. */
function coarse({ config: { method, weightStorage } }: Run): string {
  const bits = method === 'full' ? undefined : { int8: 8, int4: 4 }[weightStorage as string];
  return bits === undefined ? '' : ` Both answer with weights in ${bits} bits, as the run did; the exported model has full precision.`;
}

function Comparison({ run }: { readonly run: Run }) {
  const compare = useCompareStore();
  const answering = isAnswering(compare);
  const hidden = compare.blind && compare.vote === null;
  return (
    <>
      <Panel
        title="Base and tuned model"
        hint={`Both get the same prompt and the same seed. Only the training differs.${coarse(run)}`}
        aside={<Switch label="Blind: hide which is which" checked={compare.blind} onChange={setBlind} />}
      >
        <Ask prompts={quickPrompts(run)} answering={answering} started={compare.turns.length > 0} />
        <SamplingFields {...compare} disabled={answering} />
        <Opening runId={run.runId} />
        {compare.error && <ErrorCard error={compare.error} />}
      </Panel>
      <Conversation turns={compare.turns} left={compare.left} hidden={hidden} />
      {compare.blind && <Votes answering={answering} />}
    </>
  );
}

/** The first question to a stored model waits until it is loaded. */
function Opening({ runId }: { readonly runId: string }) {
  const opening = useFinishedStore((finished) => finished.opening);
  if (opening?.runId !== runId) return null;
  return (
    <p className="note" role="status">
      Opening the stored model… {formatPercent(opening.fraction)}
    </p>
  );
}

interface AskProps {
  readonly prompts: readonly string[];
  readonly answering: boolean;
  readonly started: boolean;
}

function Ask({ prompts, answering, started }: AskProps) {
  const [text, setText] = useState('');
  const ask = (event: FormEvent): void => {
    event.preventDefault();
    askBoth(text);
    setText('');
  };
  return (
    <form className="ask" onSubmit={ask}>
      <label className="ask-label" htmlFor="compare-prompt">
        {started ? 'Follow-up' : 'Prompt'}
      </label>
      <div className="ask-row">
        <input id="compare-prompt" type="text" autoComplete="off" value={text} onChange={({ target }) => setText(target.value)} />
        {answering ? (
          <button type="button" className="button" onClick={cancelAnswers}>
            Stop
          </button>
        ) : (
          <button type="submit" className="button primary" disabled={text.trim() === ''}>
            Ask both
          </button>
        )}
        <button type="button" className="button" disabled={!started} onClick={newConversation}>
          New conversation
        </button>
      </div>
      {prompts.length > 0 && (
        <ul className="quick-prompts" aria-label="Prompts of the run">
          {prompts.map((prompt) => (
            <li key={prompt}>
              <button type="button" className="button quiet" disabled={answering} onClick={() => askBoth(prompt)}>
                {prompt}
              </button>
            </li>
          ))}
        </ul>
      )}
    </form>
  );
}

const FIELDS: readonly (readonly [keyof Sampling, string, number, number, number])[] = [
  ['temperature', 'Temperature', 0, 10, 0.1],
  ['seed', 'Seed', 0, 0xffffffff, 1],
  ['maxTokens', 'Maximum new tokens', 1, 4096, 1],
];

function SamplingFields({ disabled, ...sampling }: Sampling & { readonly disabled: boolean }) {
  return (
    <div className="sampling">
      {FIELDS.map(([key, label, min, max, step]) => (
        <div className="field" key={key}>
          <label htmlFor={`compare-${key}`}>{label}</label>
          <input
            id={`compare-${key}`}
            type="number"
            min={min}
            max={max}
            step={step}
            disabled={disabled}
            value={sampling[key]}
            onChange={({ target }) => {
              const value = target.valueAsNumber;
              if (value >= min && value <= max) setSampling({ [key]: value });
            }}
          />
        </div>
      ))}
    </div>
  );
}

const CHOICES: readonly (readonly [Vote, string])[] = [
  ['base', 'Base model'],
  ['tuned', 'Tuned model'],
  ['tie', 'No difference'],
];

function Votes({ answering }: { readonly answering: boolean }) {
  const { vote, left, turns, tally } = useCompareStore();
  const right = left === 'base' ? 'tuned' : 'base';
  const count = tally.base + tally.tuned + tally.tie;
  return (
    <Panel title="Which is better?">
      <div className="buttons">
        {(
          [
            [left, 'Left is better'],
            [right, 'Right is better'],
            ['tie', 'No difference'],
          ] as const
        ).map(([choice, label]) => (
          <button
            type="button"
            className="button"
            key={label}
            disabled={answering || turns.length === 0 || vote !== null}
            onClick={() => castVote(choice)}
          >
            {label}
          </button>
        ))}
        {count > 0 && (
          <button type="button" className="button quiet" onClick={resetTally}>
            Clear votes
          </button>
        )}
      </div>
      <p className="note" aria-live="polite">
        {vote !== null && `Left was the ${left} model. `}
        {count === 0
          ? 'Vote to reveal which is which.'
          : `${plural(count, 'vote')} on this run: ${CHOICES.map(([choice, label]) => `${label} ${tally[choice]}`).join(', ')}.`}
      </p>
    </Panel>
  );
}
