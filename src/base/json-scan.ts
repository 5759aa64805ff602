// Scans JSON text that JSON.parse has accepted, for what JSON.parse does not report. It finds keys that occur twice in
// one object (JSON.parse keeps the last and is silent) and where the values of the outermost object stand in the text.

interface TopLevelEntry {
  readonly key: string;
  /** Span of the value in the text, without white space around it. */
  readonly start: number;
  readonly end: number;
}

export interface JsonScan {
  readonly entries: readonly TopLevelEntry[];
  /** First key that occurs twice in one object, and the outermost key it lies under (null: it is an outermost key). */
  readonly duplicate: { readonly key: string; readonly under: string | null } | null;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** `text` must be valid JSON. Nesting uses a list, not the call stack. */
export function scanJson(text: string): JsonScan {
  const entries: TopLevelEntry[] = [];
  let duplicate: JsonScan['duplicate'] = null;
  // The outermost entry whose value is being walked.
  let key: string | null = null;
  let start = 0;
  // Keys seen in each open object; null for a list.
  const stack: (Set<string> | null)[] = [];

  const closeEntry = (at: number): void => {
    if (stack.length !== 1 || key === null) return;
    let end = at;
    while (isSpace(text.charCodeAt(end - 1))) end--;
    entries.push({ key, start, end });
    key = null;
  };

  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === OPEN_OBJECT) stack.push(new Set());
    else if (c === OPEN_LIST) stack.push(null);
    else if (c === CLOSE_OBJECT || c === CLOSE_LIST) {
      closeEntry(i);
      stack.pop();
    } else if (c === COMMA) closeEntry(i);
    else if (c === QUOTE) {
      const last = stringEnd(text, i);
      const colon = skipSpace(text, last + 1);
      const keys = stack.at(-1);
      // In an object, a string before a colon is a key; a value is followed by a comma or a brace.
      if (keys && text.charCodeAt(colon) === COLON) {
        const name = JSON.parse(text.slice(i, last + 1)) as string;
        if (keys.has(name)) duplicate ??= { key: name, under: key };
        keys.add(name);
        if (stack.length === 1) {
          key = name;
          start = skipSpace(text, colon + 1);
        }
        i = colon;
      } else {
        i = last;
      }
    }
  }
  return { entries, duplicate };
}

/** Index of the closing quote of the string that opens at `start`. */
function stringEnd(text: string, start: number): number {
  let i = start + 1;
  while (text.charCodeAt(i) !== QUOTE) i += text.charCodeAt(i) === BACKSLASH ? 2 : 1;
  return i;
}

function skipSpace(text: string, from: number): number {
  let i = from;
  while (isSpace(text.charCodeAt(i))) i++;
  return i;
}

const isSpace = (c: number): boolean => c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09;
