// Two columns of answers under each prompt. A model's text is shown as plain text, never as markup.

import type { Answer, Turn } from '../../store/run/compare';
import type { Side } from '../../worker/protocol';
import { plural } from '../format';

const NAMES: Readonly<Record<Side, string>> = { base: 'Base model', tuned: 'Tuned model' };
const HIDDEN = ['Left', 'Right'] as const;

interface ConversationProps {
  readonly turns: readonly Turn[];
  readonly left: Side;
  /** Blind mode: the sides are not named. */
  readonly hidden: boolean;
}

export function Conversation({ turns, left, hidden }: ConversationProps) {
  const sides: readonly Side[] = left === 'base' ? ['base', 'tuned'] : ['tuned', 'base'];
  if (turns.length === 0) return <p className="note conversation-empty">Ask something, or choose one of the run’s prompts.</p>;
  return (
    <ol className="conversation" aria-label="Conversation">
      {turns.map((turn) => (
        <li key={turn.id} className="turn">
          <p className="turn-prompt">{turn.prompt}</p>
          <div className="turn-answers">
            {sides.map((side, column) => (
              <AnswerBox
                key={side}
                name={hidden ? HIDDEN[column] : NAMES[side]}
                answer={turn[side]}
                // A mark on the tuned side would give it away.
                marked={!hidden && side === 'tuned'}
              />
            ))}
          </div>
        </li>
      ))}
    </ol>
  );
}

interface AnswerBoxProps {
  readonly name: string;
  readonly answer: Answer;
  readonly marked: boolean;
}

const STATES: Readonly<Record<Answer['state'], string>> = { waiting: 'waiting', writing: 'writing…', done: '', stopped: 'stopped' };

function AnswerBox({ name, answer, marked }: AnswerBoxProps) {
  const { text, tokens, state } = answer;
  return (
    <article className="sample-text answer" data-sample={marked ? 'after' : undefined} data-answer={state}>
      <h3>
        {name} <span className="note">{STATES[state] || plural(tokens, 'token')}</span>
      </h3>
      <p aria-live={state === 'done' ? 'polite' : 'off'}>{text || (state === 'done' ? '(nothing)' : '')}</p>
    </article>
  );
}
