// HTML as text, for the one file that the page writes. Everything that goes into a template is escaped, unless this template
// made it. So text from data or a model cannot become an element or an attribute. Pure.

export class Markup {
  constructor(readonly text: string) {}
}

type Value = string | number | Markup | null | readonly Markup[];

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
/** Characters that no HTML document may contain: controls other than tab and line ends, lone surrogates, non-characters. */
// eslint-disable-next-line no-control-regex
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufdd0-\ufdef\ufffe\uffff]|\p{Surrogate}/gu;

export const escapeHtml = (text: string): string =>
  text.replace(FORBIDDEN, '\ufffd').replace(/[&<>"']/g, (character) => ENTITIES[character]);

/** Attributes must be quoted in the template. */
export function markup(strings: TemplateStringsArray, ...values: readonly Value[]): Markup {
  const text = (value: Value): string => {
    if (value === null) return '';
    if (value instanceof Markup) return value.text;
    return typeof value === 'object' ? value.map((part) => part.text).join('') : escapeHtml(String(value));
  };
  return new Markup(strings.reduce((sum, part, i) => sum + text(values[i - 1] ?? null) + part));
}
