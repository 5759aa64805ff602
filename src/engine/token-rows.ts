// The rows of a vocabulary's matrices that train, on the host: which tokens they belong to, and where elements of a whole matrix lie
// among them.

/** In `rowOfToken`: the token's row does not train. */
export const NO_ROW = 0xffffffff;

/** Elements that a piece of a matrix and the rows that train share: those rows lie side by side. */
export interface SharedRows {
  /** First of them among the elements of the rows that train. */
  readonly start: number;
  readonly length: number;
  /** For each row: its place among the shared elements, its place in the piece, and its elements in it. */
  readonly runs: readonly { readonly from: number; readonly to: number; readonly length: number }[];
}

export class TokenRows {
  /** Rising. */
  readonly tokens: Uint32Array<ArrayBuffer>;
  readonly #rowOf: Uint32Array;

  constructor(tokens: Uint32Array, vocab: number) {
    this.tokens = Uint32Array.from(tokens);
    this.#rowOf = new Uint32Array(vocab).fill(NO_ROW);
    this.tokens.forEach((token, row) => (this.#rowOf[token] = row));
  }

  /** The row of each token among those that train, or NO_ROW. */
  rowsOf(tokens: Uint32Array): Uint32Array<ArrayBuffer> {
    return Uint32Array.from(tokens, (token) => this.#rowOf[token]);
  }

  /** What elements [start, end) of a matrix of `width` columns share with the rows that train; null if nothing. */
  shared(start: number, end: number, width: number): SharedRows | null {
    const first = this.#firstFrom(Math.floor(start / width));
    const last = this.#firstFrom(Math.ceil(end / width));
    const runs: { from: number; to: number; length: number }[] = [];
    let begin = -1;
    let length = 0;
    for (let row = first; row < last; row++) {
      const at = this.tokens[row] * width;
      const [from, to] = [Math.max(start, at), Math.min(end, at + width)];
      if (from >= to) continue;
      if (begin < 0) begin = row * width + from - at;
      runs.push({ from: length, to: from - start, length: to - from });
      length += to - from;
    }
    return begin < 0 ? null : { start: begin, length, runs };
  }

  /** The first row whose token is not below this one. */
  #firstFrom(token: number): number {
    let [low, high] = [0, this.tokens.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.tokens[middle] < token) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
