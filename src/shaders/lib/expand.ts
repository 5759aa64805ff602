// WGSL has no macros, and compilers do not always unroll: kernels that want both say so in comments, which this file expands before the
// text reaches a compiler.
//
//   //#repeat K 16      the lines to //#end once for each of 0u … 15u, in place of K (yK: y0 …); a name instead of 16 is looked up in `counts`
//   //#repeat E xyzw    once for each letter, in place of E; E_AT is the letter's place, 0u …
//   //#end
//   //#define f(A, B)   the lines to //#enddefine stand wherever //#use f(a, b) is, with a and b in place of A and B
//   //#enddefine

import { AppError } from '../../base/errors';

const DEFINE = /^ *\/\/#define (\w+)\(([^)]*)\)\n([^]*?)^ *\/\/#enddefine\n/gm;
const USE = /^ *\/\/#use (\w+)\((.*)\)$/gm;
/** Innermost first: a body without another repeat in it. */
const REPEAT = /^ *\/\/#repeat (\w+) (\w+)\n((?:(?!^ *\/\/#repeat)[^])*?)^ *\/\/#end\n/gm;

const listOf = (text: string): string[] =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean);

/** In `text`, every `name` that stands alone, ends a lower-case name (yR becomes y0) or begins one (SOURCE_quad). */
const replaceWord = (text: string, name: string, by: string): string =>
  text
    .replaceAll(new RegExp(`(?<=[a-z])${name}(?![A-Za-z0-9_])`, 'g'), by.replace(/^(\d+)u$/, '$1'))
    .replaceAll(new RegExp(`(?<![A-Za-z0-9_])${name}(?![A-Za-z0-9]|_[A-Z])`, 'g'), by);

/** The text with its definitions put in place and its repetitions written out. */
export function expand(wgsl: string, counts: Readonly<Record<string, number>> = {}): string {
  const defined = new Map<string, { names: string[]; body: string }>();
  let text = wgsl.replaceAll(DEFINE, (_, name: string, names: string, body: string) => {
    defined.set(name, { names: listOf(names), body });
    return '';
  });
  text = text.replaceAll(USE, (_, name: string, values: string) => {
    const found = defined.get(name);
    const given = listOf(values);
    if (!found || found.names.length !== given.length) throw fault(`#use ${name}(${values})`);
    return found.names.reduce((body, word, at) => replaceWord(body, word, given[at]), found.body);
  });
  for (let before = ''; before !== text;) {
    before = text;
    text = text.replaceAll(REPEAT, (_, name: string, over: string, body: string) => repeated(name, over, body, counts));
  }
  const left = /\/\/#\w+.*/.exec(text);
  if (left) throw fault(left[0]);
  return text;
}

function repeated(name: string, over: string, body: string, counts: Readonly<Record<string, number>>): string {
  const letters = /^[xyzw]+$/.test(over) ? [...over] : null;
  const count = letters?.length ?? counts[over] ?? Number(over);
  if (!Number.isInteger(count) || count < 0) throw fault(`#repeat ${name} ${over}`);
  return Array.from({ length: count }, (_, at) =>
    replaceWord(replaceWord(body, `${name}_AT`, `${at}u`), name, letters?.[at] ?? `${at}u`),
  ).join('');
}

const fault = (what: string): AppError => new AppError('INTERNAL', `A kernel's text cannot be expanded: ${what}.`, 'Please report it.');
