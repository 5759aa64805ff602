// What the reader does: parses data, renders chat templates and tokenises, for a preview or for a run. It never touches the GPU, so it can
// be ended at any time. Long work goes in short turns, so that it hears of a cancel; a beat at every turn says that it is alive.

import { errorInfo, unreachable, type AppError } from '../../base/errors';
import type { Bound } from '../../base/bounded';
import { previewHead, previewing, type LoadedFiles } from '../../data/sample/inspect';
import type { LoadConfig, LoadedData } from '../../data/sample/loading';
import type { DataHead, DataPreview } from '../../data/sample/preview';
import type { TokenBlock } from '../../data/batch/token-store';
import type { Tokenizer } from '../../data/tokenize/tokenizer';
import { keyOf, type ModelCache } from '../../io/hub/model-cache';
import { openModelTexts } from '../../io/sources/model-files';
import type { DataSource, ModelSource } from '../../io/sources/run-sources';
import { checkReadable, loadFiles } from '../../train/load-data';
import { Pace, rest } from '../../train/pace';
import { encodePrompts, openTokenizer } from '../../train/prepare';
import { Queue } from '../queue';
import { openDataSource, openModelSource } from '../sources';
import { PATIENCE_MS, type ReaderCommand, type ReaderEvent } from './protocol';
import { sentData } from './sent-data';

/** Pause between two reports of a long count, between two beats, and between two hand-overs of tokens. */
const TELL_MS = 250;
const BEAT_MS = 100;

type Asked<T extends ReaderCommand['type']> = Extract<ReaderCommand, { type: T }>;
export type PostEvent = (event: ReaderEvent, transfer?: readonly Transferable[]) => void;

export class Reading {
  readonly #post: PostEvent;
  readonly #models: ModelCache;
  readonly #cancelled = new Set<number>();
  /** Asked, and behind others. */
  readonly #waiting = new Set<number>();
  readonly #turns = new Queue();
  /** What is worked on now. */
  #now: number | null = null;
  #allow = PATIENCE_MS;
  #beaten = -Infinity;
  #late: (() => AppError) | null = null;
  /** Tokens of the data that was last looked at. */
  #counted: { readonly key: string; readonly files: LoadedFiles } | null = null;
  #known: { readonly model: string; readonly tokenizer: Tokenizer } | null = null;

  constructor(post: PostEvent, models: ModelCache) {
    this.#post = post;
    this.#models = models;
  }

  /** For programs that come with a model: says how long the next piece of work may take, and what it means if it takes longer. */
  readonly bound: Bound = (work, ms, late) => {
    // Beats that would say the same are not worth a message.
    if (late !== this.#late || performance.now() > this.#beaten + BEAT_MS) this.#beat(ms, late);
    return work();
  };

  /** Resolves when the command is done, and never rejects. */
  async handle(command: ReaderCommand): Promise<void> {
    if (command.type === 'cancel') {
      this.#cancelled.add(command.id);
      // Heard at once, so that the work ahead of it is not given up for it.
      if (this.#waiting.has(command.id)) this.#post({ type: 'ended', id: command.id });
      return;
    }
    const { id } = command;
    if (command.type !== 'prompts') this.#waiting.add(id);
    const done = await (command.type === 'prompts' ? this.#prompts(command) : this.#turns.run(() => this.#long(command))).catch(
      (thrown: unknown): ReaderEvent => ({ type: 'failed', id, error: errorInfo(thrown) }),
    );
    this.#post(done ?? { type: 'ended', id });
    this.#cancelled.delete(id);
  }

  /** Null: it was cancelled. */
  async #long(command: Asked<'inspect' | 'load'>): Promise<ReaderEvent | null> {
    const { id } = command;
    this.#waiting.delete(id);
    if (this.#cancelled.has(id)) return null;
    this.#allow = PATIENCE_MS + unbrokenMs(command.data);
    // Waiting for a network or a disk is not silence; a program that never ends stops this clock with everything else.
    const alive = setInterval(() => this.#work(id), BEAT_MS);
    try {
      switch (command.type) {
        case 'inspect': {
          const preview = await this.#inspect(command);
          return preview && { type: 'inspected', id, preview };
        }
        case 'load':
          return await this.#load(command);
        default:
          return unreachable(command);
      }
    } finally {
      clearInterval(alive);
    }
  }

  async #prompts({ id, base, model, prompts }: Asked<'prompts'>): Promise<ReaderEvent> {
    const before = this.#now;
    try {
      const tokenizer = await this.#tokenizer(id, base, model);
      this.#work(id);
      return { type: 'prompts', id, ids: encodePrompts(prompts, tokenizer) };
    } finally {
      this.#now = before;
    }
  }

  async #inspect({ id, base, config, model, data }: Asked<'inspect'>): Promise<DataPreview | null> {
    const pace = this.#pace(id);
    const tokenizer = await this.#tokenizer(id, base, model);
    const files = await openDataSource(data, base);
    await rest();
    if (!this.#work(id)) return null;

    const news = new News((fraction, head) => this.#post({ type: 'progress', id, fraction, head }));
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

  /** The tokens of a preview of exactly this data, model, mask and columns are handed over; else they are made, and go as they are made. */
  async #load({ id, base, config, model, data, keep }: Asked<'load'>): Promise<ReaderEvent | null> {
    const counted = this.#counted?.key === countKey(model, data, config) ? this.#counted.files : null;
    if (!keep) this.#counted = null;
    this.#work(id);
    const files = await openDataSource(data, base);
    const give = (file: number, blocks: readonly TokenBlock[], copies = false): void => {
      if (blocks.length === 0) return;
      this.#post({ type: 'blocks', id, file, blocks }, copies ? [] : blocks.map(({ buffer }) => buffer));
    };
    if (counted) await checkReadable(files);
    const news = new News((fraction) => this.#post({ type: 'progress', id, fraction, head: null }));
    let last = performance.now();
    const given = (fraction: number, _: unknown, file: number, now: () => LoadedData): void => {
      news.tell(fraction, () => null);
      if (performance.now() < last + TELL_MS) return;
      last = performance.now();
      give(file, now().encoding.store.takeFull());
    };
    const loaded = counted ?? (await loadFiles(files, await this.#tokenizer(id, base, model), config, this.#pace(id), given));
    if (!loaded || this.#cancelled.has(id)) return null;
    const all = [loaded.data, ...(loaded.evaluation ? [loaded.evaluation] : [])];
    const sent = all.map(sentData);
    for (const [file, { encoding }] of all.entries()) {
      if (counted && keep) give(file, encoding.store.blocks, true);
      else give(file, encoding.store.takeAll());
    }
    return { type: 'loaded', id, files: sent };
  }

  async #tokenizer(id: number, base: string, model: ModelSource): Promise<Tokenizer> {
    const name = modelKey(model);
    if (this.#known?.model === name) return this.#known.tokenizer;
    this.#work(id);
    const texts = await openModelTexts(await openModelSource(model, { base, models: this.#models }));
    this.#work(id);
    const tokenizer = await openTokenizer(texts);
    this.#known = { model: name, tokenizer };
    return tokenizer;
  }

  #pace(id: number): Pace {
    return new Pace(() => this.#work(id));
  }

  /** Called at every turn of a piece of work; false: nobody waits for it any more. */
  #work(id: number): boolean {
    if (this.#now !== id || this.#late || performance.now() > this.#beaten + BEAT_MS) {
      this.#now = id;
      this.#beat(this.#allow, null);
    }
    return !this.#cancelled.has(id);
  }

  #beat(allow: number, late: (() => AppError) | null): void {
    this.#beaten = performance.now();
    this.#late = late;
    this.#post({ type: 'beat', id: this.#now, allow, late: late && errorInfo(late()) });
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

/** The columns of a row group of Parquet are decoded in one go, at some ten MB a second on a slow machine. */
const unbrokenMs = (data: DataSource): number =>
  data.kind !== 'file'
    ? 0
    : [data.file, data.heldOut].reduce((ms, file) => ms + (file && /\.parquet$/i.test(file.name) ? file.size / 10_000 : 0), 0);

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
