// Base and tuned model answer the same message, side by side: a conversation, where each side keeps its own answers,
// and in blind mode a vote before the sides are named. `answered` and the other pure steps say what changes; the worker
// answers through `reply` events.

import { create } from 'zustand';
import type { ErrorInfo } from '../../base/errors';
import type { CompareRequest, Event, Side } from '../../worker/protocol';
import { send } from '../link';
import { endedRun, standingOf, useFinishedStore, type ModelStanding } from './finished';
import { useRunStore, type Run } from './run';

const SIDES = ['base', 'tuned'] as const satisfies readonly Side[];
export type Vote = Side | 'tie';

export interface Answer {
  readonly text: string;
  readonly tokens: number;
  /** `stopped`: the person ended it. */
  readonly state: 'waiting' | 'writing' | 'done' | 'stopped';
}

export interface Turn {
  readonly id: number;
  readonly prompt: string;
  readonly base: Answer;
  readonly tuned: Answer;
}

export interface Sampling {
  readonly temperature: number;
  readonly seed: number;
  readonly maxTokens: number;
}

type Tally = Readonly<Record<Vote, number>>;

export interface CompareStore extends Sampling {
  /** The run that this conversation belongs to. */
  readonly runId: string | null;
  readonly turns: readonly Turn[];
  readonly error: ErrorInfo | null;
  readonly blind: boolean;
  /** The side in the left column: base, unless sides are shuffled. */
  readonly left: Side;
  /** The vote in this conversation; null until there is one. */
  readonly vote: Vote | null;
  readonly tally: Tally;
}

const FRESH = { turns: [], error: null, left: 'base', vote: null } as const;
const NO_VOTES: Tally = { base: 0, tuned: 0, tie: 0 };

export const useCompareStore = create<CompareStore>(() => ({
  ...FRESH,
  runId: null,
  blind: false,
  tally: NO_VOTES,
  temperature: 0,
  seed: 1,
  maxTokens: 64,
}));

/** What can be compared now: an ended run whose model is here, or stored. */
export type Readiness = 'none' | 'going' | 'failed' | Exclude<ModelStanding, 'ready'> | 'ready';

export function readiness(run: Run | null, finished = useFinishedStore.getState()): Readiness {
  if (run === null) return 'none';
  if (run.phase === 'failed') return 'failed';
  return run.phase === 'done' ? standingOf(run, finished) : 'going';
}

export const isAnswering = ({ turns }: Pick<CompareStore, 'turns'>): boolean => {
  const last = turns.at(-1);
  return last !== undefined && SIDES.some((side) => last[side].state === 'waiting' || last[side].state === 'writing');
};

const WAITING: Answer = { text: '', tokens: 0, state: 'waiting' };

/** Both conversations so far and the new message. A turn that a side did not answer is not part of its conversation. */
function requestOf(turns: readonly Turn[], prompt: string, sampling: Sampling): CompareRequest {
  const side = (name: Side): CompareRequest['base'] => [
    ...turns
      .filter((turn) => turn[name].text !== '')
      .flatMap((turn) => [{ role: 'user', content: turn.prompt } as const, { role: 'assistant', content: turn[name].text } as const]),
    { role: 'user', content: prompt },
  ];
  const { temperature, seed, maxTokens } = sampling;
  return { base: side('base'), tuned: side('tuned'), temperature, seed, maxTokens };
}

/** The turns after an answer has grown. Answers to a question that is no longer open change nothing. */
function answered(turns: readonly Turn[], reply: Extract<Event, { type: 'reply' }>): readonly Turn[] {
  const last = turns.at(-1);
  if (last?.id !== reply.id || last[reply.side].state === 'stopped') return turns;
  const answer: Answer = { text: reply.text, tokens: reply.tokens, state: reply.done ? 'done' : 'writing' };
  return [...turns.slice(0, -1), { ...last, [reply.side]: answer }];
}

/** Answers that were still coming end here. */
function stopped(turns: readonly Turn[]): readonly Turn[] {
  const last = turns.at(-1);
  if (!last) return turns;
  const end = (answer: Answer): Answer => (answer.state === 'done' ? answer : { ...answer, state: 'stopped' });
  return [...turns.slice(0, -1), { ...last, base: end(last.base), tuned: end(last.tuned) }];
}

/** Prompts to pick from: the run's own, else those that it was sampled with. */
export const quickPrompts = (run: Run): readonly string[] =>
  run.config.prompts.length > 0 ? run.config.prompts : [...new Set(run.samples.map((sample) => sample.prompt))];

let lastId = 0;

export const takeReply = (reply: Extract<Event, { type: 'reply' }>): void =>
  useCompareStore.setState(({ turns }) => ({ turns: answered(turns, reply) }));

export function takeCompareFailure({ id, error }: Extract<Event, { type: 'compareFailed' }>): void {
  if (id === lastId) useCompareStore.setState(({ turns }) => ({ turns: stopped(turns), error }));
}

/** Begins anew with every run. Returns the function that ends it. */
export const watchCompared = (): (() => void) =>
  useRunStore.subscribe(({ run }) => {
    const runId = run?.runId ?? null;
    // Another run is another pair of models, and votes on the old one say nothing about it.
    if (run && runId !== useCompareStore.getState().runId)
      useCompareStore.setState(({ blind }) => ({ ...FRESH, runId, tally: NO_VOTES, left: sideFor(blind), ...samplingOf(run) }));
  });

const samplingOf = ({ config }: Run): Sampling => ({
  temperature: config.temperature,
  seed: config.seed,
  maxTokens: config.sampleTokens,
});

/** The left column's side; by chance where the person is not to know. */
const sideFor = (blind: boolean): Side => (blind && crypto.getRandomValues(new Uint8Array(1))[0] % 2 === 1 ? 'tuned' : 'base');

export function askBoth(prompt: string): void {
  const text = prompt.trim();
  const state = useCompareStore.getState();
  if (text === '' || isAnswering(state)) return;
  // Once the sides are named there is nothing left to guess in this conversation.
  if (state.blind && state.vote !== null) newConversation();
  const { turns } = useCompareStore.getState();
  if (!state.runId) return;
  lastId++;
  send({ type: 'compare', id: lastId, request: requestOf(turns, text, state), ...endedRun(state.runId) });
  useCompareStore.setState({ error: null, turns: [...turns, { id: lastId, prompt: text, base: WAITING, tuned: WAITING }] });
}

export function cancelAnswers(): void {
  send({ type: 'cancelCompare' });
  useCompareStore.setState(({ turns }) => ({ turns: stopped(turns) }));
}

export function newConversation(): void {
  const state = useCompareStore.getState();
  if (isAnswering(state)) cancelAnswers();
  useCompareStore.setState({ ...FRESH, left: sideFor(state.blind) });
}

export const setSampling = (patch: Partial<Sampling>): void => useCompareStore.setState(patch);

/** Sides that have been seen cannot be hidden again: the conversation begins anew. */
export function setBlind(blind: boolean): void {
  useCompareStore.setState({ blind });
  newConversation();
}

export function castVote(vote: Vote): void {
  const { blind, vote: before, tally, turns } = useCompareStore.getState();
  if (!blind || before !== null || turns.length === 0) return;
  useCompareStore.setState({ vote, tally: { ...tally, [vote]: tally[vote] + 1 } });
}

export const resetTally = (): void => useCompareStore.setState({ tally: NO_VOTES });
