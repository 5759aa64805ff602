// JSON lines: one JSON value per line. Only the line feed ends a line (JSON strings may hold U+2028). A carriage return before
// it, and lines with only white space, are skipped.

/** `end`: where the text continues after the line. */
export type JsonLine = { readonly line: number; readonly end: number } & ({ readonly value: unknown } | { readonly problem: string });

/** Values with their 1-based lines. `text` without a byte order mark. */
export function* jsonLines(text: string): Generator<JsonLine> {
  let line = 0;
  for (let at = 0; at < text.length;) {
    const found = text.indexOf('\n', at);
    const end = found < 0 ? text.length : found;
    const content = text.slice(at, end).trim();
    at = end + 1;
    line++;
    if (content === '') continue;
    let value: unknown;
    try {
      value = JSON.parse(content);
    } catch (error) {
      yield { line, end: at, problem: `is not valid JSON (${reasonOf(error)})` };
      continue;
    }
    yield { line, end: at, value };
  }
}

/** Without the parser's own line number, because the parser sees every row as the first. */
const reasonOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replace(/ \(line \d+ column \d+\)$/, '');
