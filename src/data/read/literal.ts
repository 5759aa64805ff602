// A value that a file holds as a text: JSON, or what Python's str() makes of lists and dicts, as tables saved with pandas have it.

/** undefined if the text is neither. */
export function readLiteral(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return /^\s*[[{]/.test(text) ? new PythonLiteral(text).whole() : undefined;
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  b: '\b',
  f: '\f',
  v: '\v',
  a: '\x07',
  '\\': '\\',
  "'": "'",
  '"': '"',
  '\n': '',
};
const CONSTANTS: readonly (readonly [string, unknown])[] = [
  ['None', null],
  ['True', true],
  ['False', false],
  ['nan', null],
];
const MAX_DEPTH = 64;

class Malformed extends Error {}

class PythonLiteral {
  #at = 0;
  #depth = 0;

  constructor(private readonly text: string) {}

  whole(): unknown {
    try {
      const value = this.#value();
      this.#space();
      return this.#at === this.text.length ? value : undefined;
    } catch (error) {
      if (error instanceof Malformed) return undefined;
      throw error;
    }
  }

  #space(): void {
    while (/\s/.test(this.text[this.#at] ?? '')) this.#at++;
  }

  #skip(character: string): boolean {
    this.#space();
    const hit = this.text[this.#at] === character;
    if (hit) this.#at++;
    return hit;
  }

  #value(): unknown {
    if (++this.#depth > MAX_DEPTH) throw new Malformed();
    const value = this.#one();
    this.#depth--;
    return value;
  }

  #one(): unknown {
    this.#space();
    const c = this.text[this.#at];
    if (c === '[' || c === '(') return this.#list(c === '[' ? ']' : ')');
    if (c === '{') return this.#dict();
    if (c === "'" || c === '"') return this.#string(c);
    for (const [name, value] of CONSTANTS) {
      if (!this.text.startsWith(name, this.#at)) continue;
      this.#at += name.length;
      return value;
    }
    const number = /[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?/y;
    number.lastIndex = this.#at;
    const found = number.exec(this.text)?.[0];
    if (found === undefined) throw new Malformed();
    this.#at += found.length;
    return Number(found);
  }

  /** numpy writes lists of objects without commas. */
  #list(end: string): unknown[] {
    this.#at++;
    const items: unknown[] = [];
    while (!this.#skip(end)) {
      items.push(this.#value());
      this.#skip(',');
    }
    return items;
  }

  #dict(): Record<string, unknown> {
    this.#at++;
    const entries: [string, unknown][] = [];
    while (!this.#skip('}')) {
      const key = this.#value();
      if (typeof key !== 'string' || !this.#skip(':')) throw new Malformed();
      entries.push([key, this.#value()]);
      if (!this.#skip(',') && this.text[this.#at] !== '}') throw new Malformed();
    }
    return Object.fromEntries(entries);
  }

  #string(quote: string): string {
    let out = '';
    for (this.#at++; ; this.#at++) {
      const c = this.text[this.#at];
      if (c === undefined) throw new Malformed();
      if (c === quote) break;
      if (c !== '\\') {
        out += c;
        continue;
      }
      const escape = this.text[++this.#at];
      const digits = { x: 2, u: 4, U: 8 }[escape];
      if (digits !== undefined) {
        const code = this.text.slice(this.#at + 1, this.#at + 1 + digits);
        const point = parseInt(code, 16);
        if (!/^[\da-f]+$/i.test(code) || code.length < digits || point > 0x10ffff) throw new Malformed();
        out += String.fromCodePoint(point);
        this.#at += digits;
      } else out += Object.hasOwn(ESCAPES, escape) ? ESCAPES[escape] : `\\${escape}`;
    }
    this.#at++;
    return out;
  }
}
