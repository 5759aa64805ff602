// Quotes text that somebody else wrote (names of models, files and data) for YAML, shell commands and Markdown, so that it
// stays plain text there. Pure.

/** Characters that none of the three may hold: controls (including line ends) and lone surrogates. */
// eslint-disable-next-line no-control-regex
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]|\p{Surrogate}/gu;

const oneLine = (text: string): string => text.replace(CONTROLS, '\ufffd');

/** A double-quoted scalar of YAML 1.2, on one line; what a JSON string is, as far as both have it. */
export const yamlString = (text: string): string => JSON.stringify(oneLine(text));

/** One word of a POSIX shell's command. */
export const shellWord = (text: string): string => `'${oneLine(text).replaceAll("'", "'\\''")}'`;

/** A code span of Markdown: nothing in it is markup, neither Markdown's nor HTML's. */
export function markdownCode(text: string): string {
  const line = oneLine(text);
  const longest = Math.max(0, ...Array.from(line.matchAll(/`+/g), ([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return longest > 0 || /^ | $|^$/.test(line) ? `${fence} ${line} ${fence}` : `${fence}${line}${fence}`;
}
