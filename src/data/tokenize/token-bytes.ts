// Which bytes of the text a token stands for, and from that where in a text its tokens end. Masks need this: the tokens of the
// assistant's words count toward the loss, and tokenizers of this kind give ids without offsets.

import type { TokenizerJson } from './tokenizer-files';

/** How vocabulary entries spell bytes: GPT-2's printable alphabet, or SentencePiece (▁ for a space, <0xNN>). */
type Spelling = 'byte-level' | 'sentence-piece' | 'unknown';

/** Derived from the decoder, which has to undo the spelling. */
function spellingOf(decoder: unknown): Spelling {
  if (typeof decoder !== 'object' || decoder === null) return 'unknown';
  const { type, decoders, pattern } = decoder as { type?: unknown; decoders?: unknown; pattern?: { String?: unknown } };
  if (type === 'ByteLevel') return 'byte-level';
  if (type === 'Metaspace' || (type === 'Replace' && pattern?.String === '▁')) return 'sentence-piece';
  if (Array.isArray(decoders)) return decoders.map(spellingOf).find((spelling) => spelling !== 'unknown') ?? 'unknown';
  return 'unknown';
}

/** GPT-2's printable stand-in for each byte: printable bytes stand for themselves, the others follow from U+0100. */
const BYTE_OF: ReadonlyMap<string, number> = (() => {
  const printable = (b: number): boolean => (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
  let next = 256;
  return new Map(Array.from({ length: 256 }, (_, b) => [String.fromCharCode(printable(b) ? b : next++), b]));
})();

const utf8 = new TextEncoder();

/** The bytes of an ordinary vocabulary entry, or null where its spelling isn't understood. */
function entryBytes(entry: string, spelling: Spelling): Uint8Array | null {
  if (spelling === 'byte-level') {
    const bytes = Uint8Array.from(entry, (character) => BYTE_OF.get(character) ?? 0);
    return [...entry].every((character) => BYTE_OF.has(character)) ? bytes : null;
  }
  if (spelling === 'sentence-piece') {
    const byte = /^<0x([0-9A-F]{2})>$/.exec(entry);
    return byte ? Uint8Array.of(parseInt(byte[1], 16)) : utf8.encode(entry.replaceAll('▁', ' '));
  }
  return null;
}

/** Bytes by token id; added tokens stand for their own text. */
export class TokenBytes {
  private readonly spelling: Spelling;
  private readonly added: ReadonlyMap<number, Uint8Array>;
  private readonly known = new Map<number, Uint8Array | null>();

  constructor(
    json: TokenizerJson,
    private readonly entryOf: (id: number) => string | undefined,
  ) {
    this.spelling = spellingOf(json.decoder);
    this.added = new Map((json.added_tokens ?? []).map(({ id, content }) => [id, utf8.encode(content)]));
  }

  bytesOf(id: number): Uint8Array | null {
    const added = this.added.get(id);
    if (added) return added;
    let bytes = this.known.get(id);
    if (bytes === undefined) {
      const entry = this.entryOf(id);
      bytes = entry === undefined ? null : entryBytes(entry, this.spelling);
      this.known.set(id, bytes);
    }
    return bytes;
  }

  /**
   * For each token one past its last byte in the text's UTF-8. A space that the tokenizer put before a word and the
   * text does not have counts no byte. null where the tokens don't spell the text (a normaliser changed it, an
   * unknown token stands for some of it).
   */
  ends(text: string, ids: readonly number[]): Uint32Array | null {
    const bytes = utf8.encode(text);
    const ends = new Uint32Array(ids.length);
    let at = 0;
    for (const [i, id] of ids.entries()) {
      const token = this.bytesOf(id);
      if (!token) return null;
      if (matches(bytes, at, token, 0)) at += token.length;
      else if (token[0] === 0x20 && matches(bytes, at, token, 1)) at += token.length - 1;
      else return null;
      ends[i] = at;
    }
    return at === bytes.length ? ends : null;
  }
}

function matches(bytes: Uint8Array, at: number, token: Uint8Array, from: number): boolean {
  if (at + token.length - from > bytes.length) return false;
  for (let i = from; i < token.length; i++) if (bytes[at + i - from] !== token[i]) return false;
  return true;
}

/** Length in UTF-8 of the first `end` code units of text. */
export const utf8Length = (text: string, end: number): number => utf8.encode(text.slice(0, end)).length;

/**
 * For each byte offset of the text's UTF-8 (0 to its length) the code units of the characters that end at or before it.
 */
export function utf8Units(text: string): Uint32Array {
  const units = new Uint32Array(utf8.encode(text).length + 1);
  let byte = 0;
  let unit = 0;
  for (const character of text) {
    const bytes = utf8.encode(character).length;
    for (let i = 0; i < bytes; i++) units[byte++] = unit;
    unit += character.length;
  }
  units[byte] = unit;
  return units;
}
