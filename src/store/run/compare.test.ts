import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DEFAULTS } from '../../config/run-config';
import type { Command } from '../../worker/protocol';
import * as compare from './compare';
import { newRun, useRunStore, type Run } from './run';

const sent: Command[] = [];
// Files share their modules: an earlier one may have the real link already.
vi.hoisted(() => void vi.resetModules());
vi.mock('../link', () => ({ send: (command: Command) => sent.push(command) }));

const run: Run = { ...newRun('a', { ...DEFAULTS, seed: 7, temperature: 0.5, sampleTokens: 20 }), phase: 'done' };
const store = () => compare.useCompareStore.getState();
const lastRequest = () => {
  const command = sent.at(-1);
  if (command?.type !== 'compare') throw new Error(`${command?.type} was sent`);
  return command;
};
const reply = (side: 'base' | 'tuned', text: string, done: boolean, id = lastRequest().id): void =>
  compare.takeReply({ type: 'reply', id, side, text, tokens: text.length, done });

let end = (): void => undefined;
beforeEach(() => {
  sent.length = 0;
  useRunStore.setState({ run: null });
  end = compare.watchCompared();
  useRunStore.setState({ run: { ...run, runId: crypto.randomUUID() } });
  compare.setBlind(false);
});
afterEach(() => end());

describe('a conversation', () => {
  it('each side keeps its own answers; prompt, seed and temperature are the same', () => {
    compare.askBoth('  Hello ');
    expect(lastRequest().request).toEqual({
      base: [{ role: 'user', content: 'Hello' }],
      tuned: [{ role: 'user', content: 'Hello' }],
      temperature: 0.5,
      seed: 7,
      maxTokens: 20,
    });
    reply('base', 'I', false);
    expect(store().turns[0]).toMatchObject({ base: { text: 'I', state: 'writing' }, tuned: { state: 'waiting' } });
    reply('base', 'I am', true);
    expect(compare.isAnswering(store())).toBe(true);
    compare.askBoth('too early');
    expect(sent).toHaveLength(1);
    reply('tuned', 'You are', true);
    expect(compare.isAnswering(store())).toBe(false);
    compare.askBoth('And?');
    expect(lastRequest().request.base).toEqual([
      { role: 'user', content: 'Hello' },
      { role: 'assistant', content: 'I am' },
      { role: 'user', content: 'And?' },
    ]);
    expect(lastRequest().request.tuned[1]).toEqual({ role: 'assistant', content: 'You are' });
  });

  it('what was cancelled stays as it was, and late words do not count', () => {
    compare.askBoth('Hello');
    const { id } = lastRequest();
    reply('base', 'A whole one', true);
    reply('tuned', 'Half', false);
    compare.cancelAnswers();
    expect(sent.at(-1)).toEqual({ type: 'cancelCompare' });
    reply('tuned', 'Half a', false, id);
    expect(store().turns[0]).toMatchObject({ base: { state: 'done' }, tuned: { text: 'Half', state: 'stopped' } });
    compare.newConversation();
    reply('tuned', 'Half a', true, id);
    expect(store().turns).toEqual([]);
  });

  it('a failure ends the answers and is shown until the next question', () => {
    const error = { code: 'INTERNAL', detail: 'd', remedy: 'r' } as const;
    compare.askBoth('Hello');
    compare.takeCompareFailure({ type: 'compareFailed', id: lastRequest().id - 1, error });
    expect(store().error).toBeNull();
    compare.takeCompareFailure({ type: 'compareFailed', id: lastRequest().id, error });
    expect(store()).toMatchObject({ error, turns: [{ base: { state: 'stopped' } }] });
    compare.askBoth('Again');
    expect(store().error).toBeNull();
    // The unanswered question is not part of the conversation.
    expect(lastRequest().request.base).toEqual([{ role: 'user', content: 'Again' }]);
  });

  it('another run starts a new conversation', () => {
    compare.askBoth('Hello');
    useRunStore.setState({ run: newRun('b', { ...DEFAULTS, seed: 3 }) });
    expect(store()).toMatchObject({ runId: 'b', turns: [], seed: 3, tally: { base: 0, tuned: 0, tie: 0 } });
  });
});

describe('blind', () => {
  it('counts one vote a conversation; the next question is a new one', () => {
    compare.setBlind(true);
    compare.castVote('tie');
    expect(store().tally.tie).toBe(0);
    compare.askBoth('Hello');
    reply('base', 'x', true);
    reply('tuned', 'y', true);
    compare.castVote('tuned');
    compare.castVote('base');
    expect(store()).toMatchObject({ vote: 'tuned', tally: { base: 0, tuned: 1, tie: 0 } });
    compare.askBoth('Next');
    expect(store().turns).toHaveLength(1);
    expect(store().vote).toBeNull();
    expect(lastRequest().request.base).toHaveLength(1);
  });

  it('puts either side to the left, and base always where sides are named', () => {
    compare.setBlind(true);
    const seen = new Set<string>();
    for (let i = 0; i < 200 && seen.size < 2; i++) {
      compare.newConversation();
      seen.add(store().left);
    }
    expect(seen).toEqual(new Set(['base', 'tuned']));
    compare.setBlind(false);
    expect(store().left).toBe('base');
  });
});

it('only a run that ended in this page can be compared', () => {
  expect(compare.readiness(null)).toBe('none');
  expect(compare.readiness({ ...run, phase: 'training' })).toBe('going');
  expect(compare.readiness({ ...run, phase: 'failed' })).toBe('failed');
  expect(compare.readiness(run)).toBe('ready');
});
