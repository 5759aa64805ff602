// A data set in tokens, uncut. It does not depend on the row length, the split or the seed, so those may change without
// counting again. Rows are tokenized as they arrive, and their text is released.

import { chatOf, type Chat, type Mask } from './chat';
import type { Ending } from './ending';
import { rowEncoder } from '../sample/samples';
import { textCutter, type TextCutter } from './text-cuts';
import { TokenStore } from '../batch/token-store';
import type { Tokenizer } from './tokenizer';
import { endingOf } from './turn-end';
import type { BadRow, DataRow } from '../read/types';

/** The future samples: one per row, one per answer if the chat template rewrites the row, or one continuous text. */
export interface Encoding {
  readonly store: TokenStore;
  /** For each part: its row's index (from 0), where it lies in the store, whether it is a conversation. */
  readonly rows: ArrayLike<number>;
  readonly starts: ArrayLike<number>;
  readonly lengths: ArrayLike<number>;
  /** 1 or true if it is one. */
  readonly chats: ArrayLike<number | boolean>;
  /** Tokens of each accepted row (of its longest part). */
  readonly rowLengths: ArrayLike<number>;
  /** Rows with several parts. */
  readonly perAnswer: number;
  /** Rows that the chat template refused. */
  readonly refused: readonly BadRow[];
  /** Places of a continuous text where its tokens may differ from those of the uncut text. */
  readonly roughCuts: number;
  /** How a generated text has to end to be like these. */
  readonly ending: Ending;
  /** Keys that were not read, and in how many rows. */
  readonly unread: Readonly<Record<string, number>>;
}

/** Keys that are named; a file whose keys are data has any number. */
const MOST_UNREAD = 20;

/** Whether a row is read as a chat: a prompt and a completion are only where the model has a chat template. */
export const isConversation = (row: DataRow, { chatTemplate }: Pick<Tokenizer, 'chatTemplate'>): boolean =>
  row.kind === 'chat' && !(row.pair && chatTemplate === null);

/** How many characters of a continuous text are tokenized at once, and after how many it is cut even inside a word. */
const PIECE = 2 ** 14;
const LONGEST = 2 ** 18;

export class DataEncoder implements Encoding {
  readonly store: TokenStore;
  readonly rows: number[] = [];
  readonly starts: number[] = [];
  readonly lengths: number[] = [];
  readonly chats: boolean[] = [];
  readonly rowLengths: number[] = [];
  readonly refused: BadRow[] = [];
  perAnswer = 0;
  roughCuts = 0;
  readonly #encode: ReturnType<typeof rowEncoder>;
  #count = 0;
  #turns = false;
  readonly #unread = new Map<string, number>();
  readonly #chat: Chat;
  #text = '';
  #cutter: TextCutter | null = null;

  constructor(
    private readonly tokenizer: Tokenizer,
    mask: Mask,
  ) {
    this.store = new TokenStore(tokenizer.vocabSize);
    this.#encode = rowEncoder(tokenizer, { mask, continuous: false });
    this.#chat = chatOf(tokenizer);
  }

  get ending(): Ending {
    return endingOf(this.tokenizer, this.#turns ? 'turn' : this.#count > 0 ? 'text' : 'nothing');
  }

  /** The next row of the file. Yields after every piece of a long text. */
  *addRow(row: DataRow): Generator<void> {
    const index = this.#count++;
    if (row.kind === 'text' && row.text.length > LONGEST) {
      this.#note(row);
      yield* this.#addLong(row.text, index);
      return;
    }
    const parts = this.#encode(row, row.row ?? index + 1);
    if ('reason' in parts) {
      this.refused.push(parts);
      return;
    }
    if (parts.length > 1) this.perAnswer++;
    this.#turns ||= isConversation(row, this.tokenizer);
    this.#note(row);
    let longest = 0;
    for (const { ids, target } of parts) {
      this.rows.push(index);
      this.starts.push(this.store.length);
      this.lengths.push(ids.length);
      this.chats.push(row.kind === 'chat');
      this.store.push(ids, (i) => target[i] === 1);
      longest = Math.max(longest, ids.length);
    }
    this.rowLengths.push(longest);
  }

  /** A text that is too long to be tokenized at once: the same tokens, piece by piece. */
  *#addLong(text: string, index: number): Generator<void> {
    const { tokenizer, store } = this;
    const start = store.length;
    const cutter = (this.#cutter ??= textCutter(tokenizer));
    // A text may already contain its start or end token; neither is written twice.
    const [bos, eos] = [tokenizer.addBos ? tokenizer.bosId : null, tokenizer.eosId];
    let last: number | undefined;
    const push = (ids: readonly number[]): void => {
      if (last === undefined && bos !== null && ids.length > 0 && ids[0] !== bos) push([bos]);
      store.push(ids, () => store.length > start);
      last = ids.at(-1) ?? last;
    };
    for (let at = 0; at < text.length;) {
      const rest = text.length - at;
      const window = text.slice(at, at + LONGEST);
      const cut = rest <= 2 * PIECE ? rest : (cutter.cut(window, PIECE) ?? cutter.cut(window, window.length - 1));
      if (cut === null || !cutter.exact) this.roughCuts++;
      const end = at + (cut ?? wholeCharacter(window, Math.min(PIECE, rest)));
      push(at === 0 ? tokenizer.encode(text.slice(at, end)) : cutter.encodeRest(text.slice(at, end)));
      at = end;
      yield;
    }
    if (last !== undefined && eos !== null && last !== eos) push([eos]);
    this.rows.push(index);
    this.starts.push(start);
    this.lengths.push(store.length - start);
    this.chats.push(false);
    this.rowLengths.push(store.length - start);
  }

  get unread(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#unread].sort(([, a], [, b]) => b - a).slice(0, MOST_UNREAD));
  }

  #note(row: DataRow): void {
    const keys = row.kind === 'chat' ? this.#chat.unread(row.messages).map((key) => `messages[].${key}`) : [];
    for (const key of new Set([...(row.unread ?? []), ...keys])) {
      const times = this.#unread.get(key);
      if (times !== undefined || this.#unread.size < 10 * MOST_UNREAD) this.#unread.set(key, (times ?? 0) + 1);
    }
  }

  /** Adds more of the one continuous text: only its tokens, as if the text were tokenized in one go. Yields after every piece. */
  *addText(text: string): Generator<void> {
    this.#text += text;
    while (this.#text.length >= 2 * PIECE) {
      const cutter = (this.#cutter ??= textCutter(this.tokenizer));
      const at = cutter.cut(this.#text, PIECE) ?? cutter.cut(this.#text, this.#text.length - PIECE);
      if (at === null && this.#text.length < LONGEST) return;
      if (at === null || !cutter.exact) this.roughCuts++;
      this.#addPiece(at ?? wholeCharacter(this.#text, PIECE));
      yield;
    }
  }

  endText(): void {
    if (this.#text !== '') this.#addPiece(this.#text.length);
    this.rowLengths.push(this.store.length);
    this.rows.push(0);
    this.starts.push(0);
    this.lengths.push(this.store.length);
    this.chats.push(false);
  }

  #addPiece(end: number): void {
    const piece = this.#text.slice(0, end);
    this.#text = this.#text.slice(end);
    const first = this.store.length === 0;
    const ids = first ? this.tokenizer.encode(piece) : (this.#cutter ??= textCutter(this.tokenizer)).encodeRest(piece);
    this.store.push(ids, (i) => !first || i > 0);
  }
}

/** Never cuts between the halves of a surrogate pair. */
const wholeCharacter = (text: string, at: number): number => (/[\ud800-\udbff]/.test(text[at - 1]) ? at - 1 : at);
