// CSV records by RFC 4180 (or with another separator than the comma): comma, double quotes, quotes doubled inside quotes, line ends inside quotes. Line ends may
// be CRLF, LF or CR, mixed. A fault belongs to its record; reading goes on at the next line, so that one bad row
// of many can be skipped. (After a quote that is never closed there is no next line to trust.)

export interface CsvRecord {
  /** 1-based line at which the record starts. */
  readonly line: number;
  /** Where the text continues after it. */
  readonly end: number;
  readonly fields: readonly string[];
  /** 1-based field and reason, if the record breaks the format. */
  readonly fault: { readonly field: number; readonly reason: string } | null;
}

export const SEPARATORS = [',', '\t', ';', '|'] as const;
export type Separator = (typeof SEPARATORS)[number];

const UNQUOTED: Readonly<Record<Separator, RegExp>> = { ',': /[^,\r\n]*/y, '\t': /[^\t\r\n]*/y, ';': /[^;\r\n]*/y, '|': /[^|\r\n]*/y };

const LINE_END = /\r\n|\n|\r/g;
const lineEnds = (text: string): number => text.match(LINE_END)?.length ?? 0;

/** Records in order, without empty lines. `text` has no byte order mark. */
export function* csvRecords(text: string, separator: Separator = ','): Generator<CsvRecord> {
  const unquoted = UNQUOTED[separator];
  // Programs that write tabs often write quotes as they are.
  const bare = separator === '\t';
  const restOfLine = /[^\r\n]*/y;
  const take = (pattern: RegExp): string => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0] ?? '';
    at += found.length;
    return found;
  };
  let at = 0;
  let line = 1;

  while (at < text.length) {
    const start = line;
    const startAt = at;
    const fields: string[] = [];
    let fault: CsvRecord['fault'] = null;
    const fail = (reason: string): void => {
      fault ??= { field: fields.length, reason };
    };
    for (;;) {
      const closes = text[at] === '"' ? closingQuote(text, at) : -1;
      const quoted = closes >= 0 && !(bare && (closes === text.length || !`${separator}\r\n`.includes(text[closes + 1] ?? '\n')));
      if (quoted) {
        const end = closes;
        const inside = text.slice(at + 1, end);
        line += lineEnds(inside);
        at = Math.min(end + 1, text.length);
        fields.push(inside.replaceAll('""', '"'));
        if (end === text.length) fail('its opening quote is never closed');
        else if (at < text.length && !`${separator}\r\n`.includes(text[at])) {
          fail('there is text after its closing quote');
          take(restOfLine);
        }
      } else {
        fields.push(take(unquoted));
        if (!bare && fields[fields.length - 1].includes('"')) fail('it has a quote but does not begin with one');
      }
      if (text[at] !== separator) break;
      at++;
    }
    const blank = at === startAt;
    if (at < text.length) {
      at += text.startsWith('\r\n', at) ? 2 : 1;
      line++;
    }
    if (!blank) yield { line: start, end: at, fields, fault };
  }
}

/** Where the field that opens at `open` closes; text.length if it does not. */
function closingQuote(text: string, open: number): number {
  let at = text.indexOf('"', open + 1);
  while (at >= 0 && text[at + 1] === '"') at = text.indexOf('"', at + 2);
  return at < 0 ? text.length : at;
}
