// Asks the planner's worker. Each place of the page has one question at a time: a newer one replaces one that still waits, so that
// dragging a slider does not leave a queue behind. The worker starts with the first question.

import { useEffect, useState } from 'react';
import type { ErrorInfo } from '../../base/errors';
import type { Answers, Kind, PlannerReply, PlannerRequest, Questions } from './planner';

type Port = Pick<Worker, 'postMessage' | 'onmessage' | 'onerror'>;

interface Waiting {
  readonly kind: Kind;
  readonly question: Questions[Kind];
  settle(reply: Omit<PlannerReply, 'id'> | null): void;
}

const NO_WORKER: ErrorInfo = {
  code: 'INTERNAL',
  detail: 'The memory plan could not be calculated.',
  remedy: 'Reload the page. Training works without it.',
};

export class Planner {
  readonly #spawn: () => Port;
  #port: Port | null = null;
  readonly #waiting = new Map<string, Waiting>();
  #current: (Waiting & { readonly id: number }) | null = null;
  #last = 0;

  constructor(spawn: () => Port) {
    this.#spawn = spawn;
  }

  /** Null if a newer question of the same place came before the worker began. */
  ask<K extends Kind>(place: string, kind: K, question: Questions[K]): Promise<Omit<PlannerReply, 'id'> | null> {
    this.#waiting.get(place)?.settle(null);
    return new Promise((settle) => {
      // At the end: what was asked for first is answered first.
      this.#waiting.delete(place);
      this.#waiting.set(place, { kind, question, settle });
      this.#next();
    });
  }

  #next(): void {
    const [first] = this.#waiting;
    if (this.#current || !first) return;
    const [place, waiting] = first;
    this.#waiting.delete(place);
    const id = ++this.#last;
    this.#current = { ...waiting, id };
    this.#open().postMessage({ id, kind: waiting.kind, question: waiting.question } satisfies PlannerRequest);
  }

  #open(): Port {
    if (this.#port) return this.#port;
    const port = this.#spawn();
    port.onmessage = ({ data }: MessageEvent<PlannerReply>) => this.#take(data);
    port.onerror = () => {
      this.#port = null;
      if (this.#current) this.#take({ id: this.#current.id, answer: null, error: NO_WORKER });
    };
    return (this.#port = port);
  }

  #take({ id, answer, error }: PlannerReply): void {
    const current = this.#current;
    if (current?.id !== id) return;
    this.#current = null;
    current.settle({ answer, error });
    this.#next();
  }
}

export const planner = new Planner(() => new Worker(new URL('./planner.worker.ts', import.meta.url), { type: 'module', name: 'planner' }));

export interface Planned<K extends Kind> {
  /** The last answer: that of the question, unless `stale`. */
  readonly answer: Answers[K] | null;
  readonly error: ErrorInfo | null;
  /** The answer to this question is not there yet. */
  readonly stale: boolean;
}

/** The planner's answer. `place`: its name among those who ask. */
export function usePlanned<K extends Kind>(place: string, kind: K, question: Questions[K]): Planned<K> {
  return useAnswers(place, kind, JSON.stringify([question]))?.[0] ?? { answer: null, error: null, stale: true };
}

/** The answers to a question about each of a list; those to the last question until all are there. Null before the first. */
export const usePlannedForAll = <K extends Kind, T>(
  place: string,
  kind: K,
  list: readonly T[],
  question: (of: T) => Questions[K],
): readonly Planned<K>[] | null => useAnswers(place, kind, JSON.stringify(list.map(question)));

/** `key`: the questions as JSON. */
function useAnswers<K extends Kind>(place: string, kind: K, key: string): readonly Planned<K>[] | null {
  const [known, setKnown] = useState<{ readonly key: string; readonly replies: readonly Omit<PlannerReply, 'id'>[] } | null>(null);
  useEffect(() => {
    let wanted = true;
    const questions = JSON.parse(key) as Questions[K][];
    void Promise.all(questions.map((question, at) => planner.ask(`${place} ${at}`, kind, question))).then((replies) => {
      const all = replies.filter((reply) => reply !== null);
      if (wanted && all.length === replies.length) setKnown({ key, replies: all });
    });
    return () => {
      wanted = false;
    };
  }, [place, kind, key]);
  return known && known.replies.map(({ answer, error }) => ({ answer: answer as Answers[K] | null, error, stale: known.key !== key }));
}
