// The reader as the worker that owns the GPU sees it. It is ended if it is silent for longer than it said, or if it does not hear a cancel; a
// fresh one then goes on with what else was asked. So no start, stop or preview ever waits for a stranger's program.

import { AppError, type ErrorInfo } from '../../base/errors';
import type { TokenBlock } from '../../data/batch/token-store';
import type { LoadedFiles } from '../../data/sample/inspect';
import type { LoadConfig } from '../../data/sample/loading';
import type { DataSource, ModelSource } from '../../io/sources/run-sources';
import { Unwanted, type Elsewhere, type PromptText } from '../../train/prepare';
import type { Command, Event } from '../protocol';
import { PATIENCE_MS, type ReaderCommand, type ReaderEvent } from './protocol';
import { receivedData } from './sent-data';

/** What is needed of a Worker, so that a test can stand in for one. */
export interface ReaderPort {
  postMessage(command: ReaderCommand): void;
  terminate(): void;
  onmessage: ((message: MessageEvent<ReaderEvent>) => void) | null;
  onerror: ((error: ErrorEvent) => void) | null;
}

export type SpawnReader = () => ReaderPort;

/** Milliseconds: until a fresh worker has loaded its script, until a cancel is heard, and between two looks at the clock. */
export interface ReaderPatience {
  readonly start: number;
  readonly cancel: number;
  readonly look: number;
}

const PATIENCE: ReaderPatience = { start: 20_000, cancel: 300, look: 200 };

export type InspectCommand = Extract<Command, { type: 'inspect' }>;

interface Task {
  readonly command: Exclude<ReaderCommand, { type: 'cancel' }>;
  /** Forgets what a reader that was ended has answered. */
  restarted(): void;
  take(event: ReaderEvent): void;
  fail(error: AppError): void;
}

export interface RunSources {
  readonly model: ModelSource;
  readonly data: DataSource;
}

export class Reader {
  readonly #spawn: SpawnReader;
  readonly #post: (event: Event) => void;
  readonly #patience: ReaderPatience;
  #port: ReaderPort | null = null;
  readonly #tasks = new Map<number, Task>();
  /** Cancelled, and not ended yet. */
  readonly #ending = new Set<number>();
  #ids = 0;
  #inspecting: number | null = null;
  #heard = 0;
  #beat: Extract<ReaderEvent, { type: 'beat' }> | null = null;
  #clock: ReturnType<typeof setInterval> | undefined;
  #looked = 0;

  constructor(spawn: SpawnReader, post: (event: Event) => void, patience: ReaderPatience = PATIENCE) {
    this.#spawn = spawn;
    this.#post = post;
    this.#patience = patience;
  }

  /** Answers with events, unless something newer is asked before. */
  inspect({ id: asked, config, model, data }: InspectCommand, base: string): void {
    this.endInspection();
    const id = ++this.#ids;
    this.#inspecting = id;
    this.#begin({
      command: { type: 'inspect', id, base, config, model, data },
      restarted: () => undefined,
      fail: (error) => this.#post({ type: 'inspectFailed', id: asked, error: error.toInfo() }),
      take: (event) => {
        if (event.type === 'progress') this.#post({ type: 'inspecting', id: asked, fraction: event.fraction, head: event.head });
        if (event.type === 'inspected') this.#post({ type: 'inspected', id: asked, preview: event.preview });
      },
    });
  }

  /** A look that is under way gets no answer. What has been counted stays for a run of the same. */
  endInspection(): void {
    if (this.#inspecting !== null) this.#cancel(this.#inspecting);
    this.#inspecting = null;
  }

  /** What a run of these sources asks. It ends when the signal says so, with Unwanted. `keep`: a preview's tokens stay for the next one. */
  for({ model, data }: RunSources, base: string, signal: AbortSignal, progress: (fraction: number) => void, keep = false): Elsewhere {
    return {
      load: (config) => this.#load({ model, data, config, base, keep }, signal, progress),
      promptIds: (prompts) => this.#prompts(model, base, prompts, signal),
    };
  }

  #load(
    asked: RunSources & { readonly config: LoadConfig; readonly base: string; readonly keep: boolean },
    signal: AbortSignal,
    progress: (fraction: number) => void,
  ): Promise<LoadedFiles> {
    const { model, data, config, base, keep } = asked;
    const blocks: TokenBlock[][] = [[], []];
    const { mask, columns } = config;
    return this.#ask<LoadedFiles>(
      (id) => ({ type: 'load', id, base, config: { mask, columns }, model, data, keep }),
      signal,
      (event, resolve) => {
        if (event.type === 'progress') progress(event.fraction);
        if (event.type === 'blocks') blocks[event.file].push(...event.blocks);
        if (event.type !== 'loaded') return;
        const [main, held] = event.files.map((file, i) => receivedData(file, blocks[i]));
        resolve({ data: main, evaluation: held ?? null });
      },
      () => blocks.forEach((list) => list.splice(0)),
    );
  }

  #prompts(model: ModelSource, base: string, prompts: readonly PromptText[], signal: AbortSignal): Promise<readonly (readonly number[])[]> {
    return this.#ask<readonly (readonly number[])[]>(
      (id) => ({ type: 'prompts', id, base, model, prompts }),
      signal,
      (event, resolve) => {
        if (event.type === 'prompts') resolve(event.ids);
      },
    );
  }

  #ask<T>(
    command: (id: number) => Task['command'],
    signal: AbortSignal,
    take: (event: ReaderEvent, resolve: (value: T) => void) => void,
    restarted: () => void = () => undefined,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(new Unwanted());
      const id = ++this.#ids;
      const unwanted = (): void => {
        this.#cancel(id);
        reject(new Unwanted());
      };
      const heard = (): void => signal.removeEventListener('abort', unwanted);
      signal.addEventListener('abort', unwanted);
      this.#begin({
        command: command(id),
        restarted,
        take: (event) =>
          take(event, (value) => {
            heard();
            resolve(value);
          }),
        fail: (error) => {
          heard();
          reject(error);
        },
      });
    });
  }

  #begin(task: Task): void {
    this.#tasks.set(task.command.id, task);
    if (this.#port) this.#port.postMessage(task.command);
    else this.#start();
    this.#watch();
  }

  #cancel(id: number): void {
    if (!this.#tasks.delete(id)) return;
    this.#ending.add(id);
    this.#port?.postMessage({ type: 'cancel', id });
    setTimeout(() => {
      if (this.#ending.has(id)) this.#restart();
    }, this.#patience.cancel);
  }

  /** A fresh worker, with everything that is still wanted. */
  #start(): void {
    const port = this.#spawn();
    this.#port = port;
    this.#heard = performance.now();
    this.#beat = null;
    port.onmessage = ({ data }) => this.#port === port && this.#take(data);
    port.onerror = ({ message }) =>
      this.#port === port && this.#blame(`The part of the page that reads files stopped: ${message || 'its script could not be loaded'}.`);
    for (const { command, restarted } of this.#tasks.values()) {
      restarted();
      port.postMessage(command);
    }
  }

  #restart(): void {
    this.#port?.terminate();
    this.#port = null;
    this.#ending.clear();
    if (this.#tasks.size > 0) this.#start();
  }

  #take(event: ReaderEvent): void {
    this.#heard = performance.now();
    if (event.type === 'beat') {
      this.#beat = event;
      return;
    }
    const ended = event.type !== 'progress' && event.type !== 'blocks';
    if (ended) this.#ending.delete(event.id);
    const task = this.#tasks.get(event.id);
    if (!task) return;
    if (ended) this.#tasks.delete(event.id);
    if (event.type === 'failed') task.fail(errorOf(event.error));
    else task.take(event);
  }

  /** Looks at the clock as long as something is asked. */
  #watch(): void {
    if (this.#clock !== undefined) return;
    this.#looked = this.#heard = performance.now();
    this.#clock = setInterval(() => {
      const now = performance.now();
      // A thread that was busy itself, or a machine that slept, has not heard what was said.
      this.#heard += Math.max(0, now - this.#looked - 2 * this.#patience.look);
      this.#looked = now;
      if (this.#tasks.size === 0 && this.#ending.size === 0) {
        clearInterval(this.#clock);
        this.#clock = undefined;
      } else if (now > this.#heard + (this.#beat ? this.#beat.allow : this.#patience.start)) this.#blame(null);
    }, this.#patience.look);
  }

  /** What is worked on has failed; the others go on in a fresh worker. */
  #blame(stopped: string | null): void {
    const id = this.#beat?.id ?? null;
    const culprit = id !== null && this.#ending.has(id) ? null : (this.#tasks.get(id ?? -1) ?? [...this.#tasks.values()][0]);
    const late = this.#beat?.late ?? null;
    if (culprit) this.#tasks.delete(culprit.command.id);
    this.#restart();
    culprit?.fail(stopped === null ? silent(culprit.command, late) : new AppError('INTERNAL', stopped, 'Reload the page.'));
  }
}

const errorOf = ({ code, detail, remedy }: ErrorInfo): AppError => new AppError(code, detail, remedy);

const nameOfModel = (model: ModelSource): string => (model.kind === 'hub' ? model.repo : model.kind === 'files' ? model.name : model.id);

function silent(command: Task['command'], late: ErrorInfo | null): AppError {
  const { model } = command;
  const data = command.type === 'prompts' ? null : command.data.kind === 'file' ? command.data.file.name : command.data.id;
  if (late) return new AppError(late.code, `${data ?? 'A prompt'}, read for ${nameOfModel(model)}: ${late.detail}`, late.remedy);
  return new AppError(
    'DATASET_READ',
    `${data ?? 'A prompt'}, read for ${nameOfModel(model)}, has been worked on for ${PATIENCE_MS / 1000} seconds without a sign of life, so it was given up.`,
    'Look at the file’s longest rows, or choose another file or model.',
  );
}
