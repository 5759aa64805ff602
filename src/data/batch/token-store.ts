// Tokens of a whole data set in blocks of typed memory, 2 or 4 bytes per token. An array of objects would add a hundred bytes
// per row. The highest bit of a token says whether it counts toward the loss.

import type { Sample } from '../read/types';

/** Tokens per block: growing never copies, and no block is larger than 4 MiB. */
const BLOCK = 2 ** 20;

/** A list of samples that may be made on demand. Arrays are such lists too. */
export interface SampleList extends Iterable<Sample> {
  readonly length: number;
  at(index: number): Sample | undefined;
}

export type TokenBlock = Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

export class TokenStore {
  /** All ids are below it. */
  readonly vocabSize: number;
  #blocks: TokenBlock[] = [];
  readonly #narrow: boolean;
  readonly #flag: number;
  #length = 0;

  constructor(vocabSize: number) {
    this.vocabSize = vocabSize;
    this.#narrow = vocabSize <= 2 ** 15;
    this.#flag = this.#narrow ? 2 ** 15 : 2 ** 31;
  }

  /** A store of the blocks that another one gave: all that `takeFull` gave, and last what `takeAll` gave. */
  static of(vocabSize: number, blocks: readonly TokenBlock[], length: number): TokenStore {
    const store = new TokenStore(vocabSize);
    store.#blocks = [...blocks];
    store.#length = length;
    return store;
  }

  /** Gives away the blocks that are full. The store still counts them, and takes more tokens; it no longer gives these back. */
  takeFull(): TokenBlock[] {
    const full = this.#blocks.filter((_, i) => i < this.#blocks.length - 1 || this.#length % BLOCK === 0);
    this.#blocks = this.#blocks.slice(full.length);
    return full;
  }

  /** Gives away all blocks that are left. */
  takeAll(): TokenBlock[] {
    return this.#blocks.splice(0);
  }

  /** The blocks, for a copy. */
  get blocks(): readonly TokenBlock[] {
    return this.#blocks;
  }

  get length(): number {
    return this.#length;
  }

  /** Bytes of the allocated memory. */
  get bytes(): number {
    return this.#blocks.reduce((sum, block) => sum + block.byteLength, 0);
  }

  /** `carriesLoss` gets the token's index in `ids`. */
  push(ids: ArrayLike<number>, carriesLoss: (i: number) => boolean): void {
    for (let i = 0; i < ids.length; i++) {
      const at = this.#length % BLOCK;
      if (at === 0) this.#blocks.push(this.#narrow ? new Uint16Array(BLOCK) : new Uint32Array(BLOCK));
      this.#blocks[this.#blocks.length - 1][at] = ids[i] + (carriesLoss(i) ? this.#flag : 0);
      this.#length++;
    }
  }

  /** A copy of `length` tokens from `start`. The first does not count toward the loss, because nothing before it predicts it. */
  sample(start: number, length: number): Sample {
    const ids = new Uint32Array(length);
    const target = new Uint8Array(length);
    for (let i = 0; i < length; i++) {
      const token = this.#token(start + i);
      ids[i] = this.#id(start + i);
      target[i] = i > 0 && token >= this.#flag ? 1 : 0;
    }
    return { ids, target };
  }

  /** How many of the `length` tokens from `start` on count toward the loss; at most `enough`. */
  targets(start: number, length: number, enough = Infinity): number {
    let count = 0;
    for (let i = start; i < start + length && count < enough; i++) if (this.#token(i) >= this.#flag) count++;
    return count;
  }

  /** Marks the ids of the `length` tokens from `start`: seen[id] = 1. */
  mark(start: number, length: number, seen: Uint8Array): void {
    for (let i = start; i < start + length; i++) seen[this.#id(i)] = 1;
  }

  /** Whether a range of this store and one of another hold the same ids. */
  sameIds(start: number, other: TokenStore, otherStart: number, length: number): boolean {
    for (let i = 0; i < length; i++) if (this.#id(start + i) !== other.#id(otherStart + i)) return false;
    return true;
  }

  /** FNV-1a over the ids of ranges. */
  hash(starts: readonly number[], lengths: readonly number[]): number {
    let hash = 0x811c9dc5;
    for (const [part, start] of starts.entries()) {
      for (let i = start; i < start + lengths[part]; i++) hash = Math.imul(hash ^ this.#id(i), 0x01000193);
    }
    return hash;
  }

  #id(at: number): number {
    const token = this.#token(at);
    return token >= this.#flag ? token - this.#flag : token;
  }

  #token(at: number): number {
    return this.#blocks[Math.floor(at / BLOCK)][at % BLOCK];
  }
}

/** Windows of a store. */
export class StoredSamples implements SampleList {
  constructor(
    private readonly store: TokenStore,
    private readonly starts: readonly number[],
    private readonly lengths: readonly number[],
  ) {}

  get length(): number {
    return this.starts.length;
  }

  at(index: number): Sample | undefined {
    return index < this.starts.length ? this.store.sample(this.starts[index], this.lengths[index]) : undefined;
  }

  *[Symbol.iterator](): Generator<Sample> {
    for (let i = 0; i < this.length; i++) yield this.at(i)!;
  }
}
