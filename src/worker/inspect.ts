// A look at data without a run: the model's tokenizer and the data opened as for a run, then counted in slices, so that
// the worker hears of a newer question, or of a start, in between. Nothing here touches the GPU or the weights.

import { previewHead, previewing, type LoadedFiles } from '../data/sample/inspect';
import type { LoadConfig, LoadedData } from '../data/sample/loading';
import type { DataHead, DataPreview } from '../data/sample/preview';
import type { Tokenizer } from '../data/tokenize/tokenizer';
import { errorInfo } from '../base/errors';
import { keyOf } from '../io/hub/model-cache';
import { openModelTexts } from '../io/sources/model-files';
import { loadFiles } from '../train/load-data';
import { Pace, rest } from '../train/pace';
import { openTokenizer } from '../train/prepare';
import type { Command, Event } from './protocol';
import type { DataSource, ModelSource } from '../io/sources/run-sources';
import { openSources, type SourcePlaces } from './sources';

/** Pause between two reports of a long count. */
const TELL_MS = 250;

export type InspectCommand = Extract<Command, { type: 'inspect' }>;

export class Inspector {
  readonly #post: (event: Event) => void;
  /** Counts questions; work continues while its question is the last. */
  #turn = 0;
  /** Tokens of the data that was last looked at. */
  #counted: { readonly key: string; readonly files: LoadedFiles } | null = null;
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

  /**
   * Called when a run begins: a look under way gets no answer, and its memory is freed. If the tokens of exactly this data,
   * model, mask and columns have all been counted, they go to the run, which would make the same ones; else null.
   */
  handOver({ config, model, data }: Pick<InspectCommand, 'config' | 'model' | 'data'>): LoadedFiles | null {
    this.#turn++;
    const counted = this.#counted;
    this.#counted = null;
    return counted?.key === countKey(model, data, config) ? counted.files : null;
  }

  /** The same, if they have been counted, for work that shares them. */
  lend({ config, model, data }: Pick<InspectCommand, 'config' | 'model' | 'data'>): LoadedFiles | null {
    return this.#counted?.key === countKey(model, data, config) ? this.#counted.files : null;
  }

  async #inspect({ id, config, model, data }: InspectCommand, places: SourcePlaces, current: () => boolean): Promise<DataPreview | null> {
    const files = await openSources(model, data, places);
    if (!current()) return null;
    const name = modelKey(model);
    const tokenizer = this.#known?.model === name ? this.#known.tokenizer : await openTokenizer(await openModelTexts(files.model));
    this.#known = { model: name, tokenizer };
    await rest();
    if (!current()) return null;

    const news = new News((fraction, head) => this.#post({ type: 'inspecting', id, fraction, head }));
    const pace = new Pace(current);
    const head = (sofar: () => LoadedData): DataHead | null => (news.needsHead ? previewHead(sofar(), tokenizer, config) : null);
    const key = countKey(model, data, config);
    if (this.#counted?.key !== key) this.#counted = null;
    // Tokens stay, so that another length or split is a matter of cutting.
    const counted =
      this.#counted?.files ??
      (await loadFiles(files, tokenizer, config, pace, (fraction, sofar) => news.tell(fraction, () => head(sofar))));
    if (!counted) return null;
    this.#counted = { key, files: counted };
    return pace.finish(previewing(counted, tokenizer, config));
  }
}

/** Reports progress now and then, and the first rows once. */
class News {
  #last = performance.now();
  #toldHead = false;

  constructor(private readonly told: (fraction: number, head: DataHead | null) => void) {}

  get needsHead(): boolean {
    return !this.#toldHead;
  }

  tell(fraction: number, head: () => DataHead | null): void {
    const now = performance.now();
    if (now < this.#last + TELL_MS) return;
    this.#last = now;
    const rows = head();
    this.told(fraction, rows);
    this.#toldHead ||= rows !== null;
  }
}

/** A key of everything that tokens depend on. */
const countKey = (model: ModelSource, data: DataSource, { mask, columns }: LoadConfig): string =>
  JSON.stringify([modelKey(model), dataKey(data), mask, columns]);

/** The same for the same files: a message carries copies of File objects. */
const modelKey = (model: ModelSource): string =>
  model.kind === 'hub'
    ? `hub ${keyOf(model)}`
    : model.kind === 'builtin'
      ? `builtin ${model.id}`
      : `files ${model.name} ${model.files.map((file) => `${file.webkitRelativePath || file.name}:${file.size}:${file.lastModified}`).join(' ')}`;

const dataKey = (data: DataSource): string =>
  data.kind === 'builtin'
    ? `builtin ${data.id}`
    : [data.file, data.heldOut].map((file) => file && `${file.name}:${file.size}:${file.lastModified}`).join(' ');
