// Inputs that somebody or something has damaged: a sound text with a few cuts, doublings, flips and foreign pieces, or, for
// JSON, with values of its tree replaced. fast-check draws them, so a failure is reported in its smallest form and with its seed.

import fc from 'fast-check';

const FOREIGN = [
  ...['"', "'", '{', '}', '[', ']', ',', ':', '\\', '\n', '\r\n', '\r', '\t', ' ', '\u0000', '\ufeff', '\u2028', '\ud800', '🙂'],
  ...['null', 'true', '-1', '0', '-0', '0.5', '1e999', '1e-400', '9007199254740993', '4294967296', '1e22', 'NaN', '""', '[]', '{}'],
  ...['"__proto__":', '"constructor":{', '\\u0000', '\\ud800', '""""', '","', '"\n"', '/*x*/', '\u0085', '%s', '{{', '}}', '{%', '%}'],
];
/** Texts with deep nesting and long repeats. */
const LONG = ['['.repeat(20_000), '{"a":'.repeat(5_000), '"'.repeat(4_000), '9'.repeat(2_000), 'é'.repeat(3_000), ','.repeat(3_000)];

interface Edit {
  readonly kind: number;
  /** Place and length as shares of the text. */
  readonly at: number;
  readonly span: number;
  readonly piece: number;
}

const share = fc.double({ min: 0, max: 1, noNaN: true });
const edit: fc.Arbitrary<Edit> = fc.record({ kind: fc.nat(9), at: share, span: share, piece: fc.nat(100_000) });

function applyEdit(text: string, { kind, at, span, piece }: Edit): string {
  const start = Math.floor(at * text.length);
  // Mostly a few characters, sometimes many.
  const end = Math.min(text.length, start + Math.ceil(span ** 6 * text.length));
  const foreign = FOREIGN[piece % FOREIGN.length];
  switch (kind) {
    case 0:
      return text.slice(0, start) + text.slice(end);
    case 1:
      return text.slice(0, end) + text.slice(start);
    case 2:
      return text.slice(0, start);
    case 3:
      return text.slice(0, start) + LONG[piece % LONG.length] + text.slice(start);
    case 4:
      return text.slice(0, start) + String.fromCharCode(piece % 0x10000) + text.slice(start + 1);
    case 5:
      return text.slice(0, start) + text.slice(end) + text.slice(start, end);
    case 6:
    case 7:
      return text.slice(0, start) + foreign + text.slice(start);
    default:
      return text.slice(0, start) + foreign + text.slice(start + foreign.length);
  }
}

/** Any of the texts, damaged in one to five places. */
export function damagedText(bases: readonly string[]): fc.Arbitrary<string> {
  return fc
    .tuple(fc.constantFrom(...bases), fc.array(edit, { minLength: 1, maxLength: 5 }))
    .map(([base, edits]) => edits.reduce(applyEdit, base));
}

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const VALUES: readonly Json[] = [
  ...[null, true, false, 0, -1, 1, 2, 0.5, -0.5, 1e308, 2 ** 31, 2 ** 32, 2 ** 53, 1e22, 7, 64],
  ...['', 'x', '0', 'true', '__proto__', '\u0000', '\ud800', 'llama', 'F16', 'BPE', 'Split', 'x'.repeat(3000)],
  ...[[], {}, [0], [0, 0], [0, 8], [1, 2, 3], [-1], [null], ['x'], { type: 'x' }, { '': 1 }, { Regex: '(a+)+$' }, { String: '' }],
];

interface Change {
  readonly step: number;
  readonly action: number;
  readonly value: number;
}

/** The tree with one value replaced, removed, doubled or renamed. */
function change(json: Json, { step, action, value }: Change): Json {
  const copy = structuredClone(json);
  const places: { readonly holder: Json[] | { [key: string]: Json }; readonly key: string }[] = [];
  const walk = (node: Json): void => {
    if (typeof node !== 'object' || node === null) return;
    for (const key of Object.keys(node)) {
      places.push({ holder: node, key });
      walk((node as { [key: string]: Json })[key]);
    }
  };
  walk(copy);
  if (places.length === 0) return VALUES[value % VALUES.length];
  const { holder, key } = places[step % places.length];
  const at = holder as { [key: string]: Json };
  const other = places[(step + value) % places.length];
  if (action === 0 && Array.isArray(holder)) holder.splice(Number(key), 1);
  else if (action === 0) delete at[key];
  else if (action === 1) at[key] = structuredClone((other.holder as { [key: string]: Json })[other.key]);
  else if (action === 2 && !Array.isArray(holder)) at[`${key}_`] = at[key];
  else if (action === 3 && typeof at[key] === 'number') at[key] += (value % 5) - 2;
  else at[key] = structuredClone(VALUES[value % VALUES.length]);
  return copy;
}

/** JSON whose tree is changed in one to four places, or whose text is damaged. */
export function damagedJson(bases: readonly unknown[]): fc.Arbitrary<string> {
  const changes = fc.array(fc.record({ step: fc.nat(1_000_000), action: fc.nat(7), value: fc.nat(1_000_000) }), {
    minLength: 1,
    maxLength: 4,
  });
  const tree = fc.tuple(fc.constantFrom(...bases), changes).map(([base, list]) => JSON.stringify(list.reduce(change, base as Json)));
  return fc.oneof({ weight: 2, arbitrary: tree }, { weight: 1, arbitrary: damagedText(bases.map((base) => JSON.stringify(base))) });
}
