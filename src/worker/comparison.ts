// The base model and the tuned one answer the same messages, one after the other, with the same seed. The tuned one is the
// session's; the base is loaded beside it at the first question.

import type { Message } from '../data/read/types';
import { AppError } from '../base/errors';
import { inferenceForecast } from '../plan/forecast-inference';
import { inferenceInput } from '../plan/input';
import { randomStream } from '../base/random';
import { Engine } from '../engine/engine';
import { generate } from '../engine/generate';
import type { PromptText, RunInputs } from '../train/prepare';
import type { CompareRequest, Event, Side } from './protocol';
import type { Queue } from './queue';
import type { Session } from '../train/session';
import { Discarded } from '../train/session-host';
import { loadWeights } from '../engine/weights';

export type Reply = Omit<Extract<Event, { type: 'reply' }>, 'type' | 'id'>;

/** Pause between two pieces of an answer. */
const TELL_MS = 100;

export class Comparison {
  readonly #session: Session;
  #base: Promise<Engine> | null = null;
  /** Counts questions; an answer continues while its question is the last. */
  #turn = 0;
  #closed = false;
  readonly #uses: Queue;

  /** `uses`: whatever else reads from the session's engine waits there too. */
  constructor(session: Session, uses: Queue) {
    this.#session = session;
    this.#uses = uses;
  }

  /** Both answers, as they grow; an earlier question that is still being answered gets no more. Rejects with what went wrong. */
  answer(request: CompareRequest, onReply: (reply: Reply) => void): Promise<void> {
    const turn = ++this.#turn;
    const cancelled = (): boolean => this.#closed || turn !== this.#turn;
    return this.#uses.run(async () => {
      try {
        for (const side of ['base', 'tuned'] as const) {
          if (cancelled()) return;
          const engine = side === 'base' ? await this.#openBase() : this.#session.engine;
          await this.#reply(engine, side, request, onReply, cancelled);
        }
      } catch (thrown) {
        // Nobody waits for this answer any more.
        if (!cancelled()) throw thrown;
      }
    });
  }

  /** The question that is being answered gets no more events. */
  cancel(): void {
    this.#turn++;
  }

  /** Ends the current answers and frees the base model. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#uses.idle();
    (await this.#base?.catch(() => null))?.close();
    this.#base = null;
  }

  async #reply(
    engine: Engine,
    side: Side,
    request: CompareRequest,
    onReply: (reply: Reply) => void,
    cancelled: () => boolean,
  ): Promise<void> {
    const { inputs } = this.#session;
    const { dataset, tokenizer } = inputs;
    const text = (ids: readonly number[]): string => tokenizer.decode([...ids], { skipSpecial: true });
    const made: number[] = [];
    const [prompt] = await inputs.promptIds([promptOf(inputs, request[side])]);
    let told = performance.now();
    await generate(engine, prompt, {
      maxTokens: request.maxTokens,
      temperature: request.temperature,
      stopIds: new Set(dataset.summary.ending.stopIds),
      random: randomStream(request.seed, 'compare'),
      cancelled,
      onToken: (id) => {
        made.push(id);
        if (performance.now() - told < TELL_MS) return;
        told = performance.now();
        // The last character may still lack some of its bytes.
        onReply({ side, text: text(made).replace(/\uFFFD+$/, ''), tokens: made.length, done: false });
      },
    });
    if (!cancelled()) onReply({ side, text: text(made), tokens: made.length, done: true });
  }

  /** Loaded once; after a failure it is tried again. */
  #openBase(): Promise<Engine> {
    this.#base ??= this.#loadBase().catch((thrown: unknown) => {
      this.#base = null;
      throw thrown;
    });
    return this.#base;
  }

  async #loadBase(): Promise<Engine> {
    const { engine, inputs } = this.#session;
    const base = await Engine.create(engine.gpu, inferenceInput(engine.plan.input)).catch((thrown: unknown) => {
      if (!(thrown instanceof AppError) || thrown.code !== 'GPU_OOM') throw thrown;
      throw noRoom(inferenceForecast(inputs.files.shape, inputs.config, inputs.files.types).total, thrown);
    });
    try {
      await loadWeights(base, inputs.files, () => {
        if (this.#closed) throw new Discarded();
      });
    } catch (thrown) {
      base.close();
      throw thrown;
    }
    return base;
  }
}

const noRoom = (bytes: number, cause: AppError): AppError =>
  new AppError(
    'GPU_OOM',
    `There is no space for the base model beside the tuned one: it takes ${(bytes / 1e6).toFixed(1)} MB. ${cause.detail}`,
    'Close other tabs that use the GPU and ask again. The tuned model is intact: download it, and compare the two elsewhere.',
    { cause },
  );

/** The messages as the model reads them; for a model without a template that was trained on text, one text to continue. */
const promptOf = ({ tokenizer, chat }: RunInputs, messages: readonly Message[]): PromptText =>
  chat || tokenizer.chatTemplate !== null ? messages : messages.map(({ content }) => content).join('');
