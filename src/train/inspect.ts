// A look at data without a run: the model's tokenizer and the data opened as for a run, then counted in slices, so that
// the worker hears of a newer question, or of a start, in between. Nothing here touches the GPU or the weights.

import { inspecting, type InspectStep } from '../data/inspect';
import { decodeUtf8, type DataFile } from '../data/parse';
import type { DataHead, DataPreview } from '../data/preview';
import type { Tokenizer } from '../data/tokenizer';
import { errorInfo } from '../errors';
import { keyOf } from '../io/hub/model-cache';
import { openModelTexts } from '../io/model-files';
import { openTokenizer, type DataBytes } from './prepare';
import type { Command, Event, ModelSource } from './protocol';
import { openSources, type SourcePlaces } from './sources';

/** Work between two looks at what else has been asked. */
const SLICE_MS = 25;
/** News of a long count. */
const TELL_MS = 250;

export type InspectCommand = Extract<Command, { type: 'inspect' }>;

export class Inspector {
  readonly #post: (event: Event) => void;
  /** Counts questions; work goes on while its own is the last. */
  #turn = 0;
  #known: { readonly model: string; readonly tokenizer: Tokenizer } | null = null;

  constructor(post: (event: Event) => void) {
    this.#post = post;
  }

  /** Answers with an event, unless something newer is asked before. Resolves then too, and never rejects. */
  async ask(command: InspectCommand, places: SourcePlaces): Promise<void> {
    const turn = ++this.#turn;
    const current = (): boolean => turn === this.#turn;
    const { id } = command;
    try {
      const preview = await this.#inspect(command, places, current);
      if (preview && current()) this.#post({ type: 'inspected', id, preview });
    } catch (thrown) {
      if (current()) this.#post({ type: 'inspectFailed', id, error: errorInfo(thrown) });
    }
  }

  /** What is under way gets no answer. */
  cancel(): void {
    this.#turn++;
  }

  async #inspect({ id, config, model, data }: InspectCommand, places: SourcePlaces, current: () => boolean): Promise<DataPreview | null> {
    const files = await openSources(model, data, places);
    if (!current()) return null;
    const name = modelKey(model);
    const tokenizer = this.#known?.model === name ? this.#known.tokenizer : await openTokenizer(await openModelTexts(files.model));
    this.#known = { model: name, tokenizer };
    await rest();
    if (!current()) return null;

    const text = ({ name: file, bytes }: DataBytes): DataFile => ({ name: file, text: decodeUtf8(bytes, file) });
    const work = inspecting({ data: text(files.data), evaluation: files.evalData && text(files.evalData), tokenizer, config });
    const news = new News((fraction, head) => this.#post({ type: 'inspecting', id, fraction, head }));
    let sliceEnd = performance.now() + SLICE_MS;
    for (;;) {
      const { done, value } = work.next();
      if (done) return value;
      const now = performance.now();
      if (now < sliceEnd) continue;
      await rest();
      if (!current()) return null;
      news.tell(value, now);
      sliceEnd = performance.now() + SLICE_MS;
    }
  }
}

/** Tells now and then how far it is, and the first rows once. */
class News {
  #last = performance.now();
  #toldHead = false;

  constructor(private readonly told: (fraction: number, head: DataHead | null) => void) {}

  tell({ fraction, head }: InspectStep, now: number): void {
    if (now < this.#last + TELL_MS) return;
    this.#last = now;
    this.told(fraction, this.#toldHead ? null : head);
    this.#toldHead ||= head !== null;
  }
}

/** Lets messages in. */
const rest = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

/** The same for the same files: a message carries copies of File objects. */
const modelKey = (model: ModelSource): string =>
  model.kind === 'hub'
    ? `hub ${keyOf(model)}`
    : model.kind === 'builtin'
      ? `builtin ${model.id}`
      : `files ${model.name} ${model.files.map((file) => `${file.webkitRelativePath || file.name}:${file.size}:${file.lastModified}`).join(' ')}`;
