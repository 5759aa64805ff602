// SentencePiece's BPE, as Llama 1 and 2 have it, in llama.cpp's form: it joins the neighbours whose token has the highest
// score, while Hugging Face's follows a list of pairs. The two agree if the list is what SentencePiece would make from scores:
// every pair that spells a token is in it, and all pairs of one token stand together.

import type { TokenizerJson } from '../../data/tokenize/tokenizer-files';
import { refuseTokenizer, stepsOf, type Json } from './support';

const SPACE = '▁';

export interface SentencePiece {
  /** A score a row: minus the rank of the merges that make the token; what no merge makes stands below all that are made. */
  readonly scores: readonly number[];
  /** A space before a text and after every special token. */
  readonly spacePrefix: boolean;
}

/** `isNormal` tells tokens of the vocabulary from added ones. Throws TOKENIZER where llama.cpp would cut text differently. */
export function sentencePieceOf(
  json: TokenizerJson,
  names: readonly string[],
  isNormal: (id: number) => boolean,
  merges: readonly (readonly [string, string])[],
): SentencePiece {
  const rank = new Map<string, number>();
  const pairs = new Set<string>();
  let last = '';
  // Added tokens are found in the text before anything is joined (Gemma's runs of spaces and line breaks).
  const added = new Set(names.filter((_, id) => !isNormal(id)));
  merges.forEach(([left, right], i) => {
    const made = left + right;
    if (added.has(made)) return;
    if (made !== last && rank.has(made)) throw refuseTokenizer(`its merges that make '${made}' do not stand together`);
    last = made;
    if (!rank.has(made)) rank.set(made, i);
    pairs.add(`${left} ${right}`);
  });
  const known = new Set(names);
  names.forEach((text, id) => {
    if (!isNormal(id)) return;
    let left = '';
    const characters = [...text];
    for (let cut = 1; cut < characters.length; cut++) {
      left += characters[cut - 1];
      const right = text.slice(left.length);
      if (known.has(left) && known.has(right) && !pairs.has(`${left} ${right}`))
        throw refuseTokenizer(`'${left}' and '${right}' stay apart, and llama.cpp would join them to '${text}'`);
    }
  });
  return { scores: names.map((text, id) => (isNormal(id) ? -(rank.get(text) ?? merges.length) : 0)), spacePrefix: prefixOf(json) };
}

/** Spaces become '▁' by normalisers (older files) or by a Metaspace step (newer ones). */
function prefixOf(json: TokenizerJson): boolean {
  const normalizers = stepsOf(json.normalizer, 'normalizers');
  const steps = stepsOf(json.pre_tokenizer, 'pretokenizers');
  const replaces = ({ type, pattern, content }: Json): boolean =>
    type === 'Replace' && content === SPACE && (pattern as Json | undefined)?.String === ' ';
  const prepends = ({ type, prepend }: Json): boolean => type === 'Prepend' && prepend === SPACE;
  const other = normalizers.find((step) => !replaces(step) && !prepends(step));
  if (other) throw refuseTokenizer(`its normaliser ${String(other.type)} is not SentencePiece's as Llama has it`);
  if (steps.length === 0 && normalizers.some(replaces)) return normalizers.some(prepends);
  const [metaspace] = steps;
  if (steps.length !== 1 || metaspace.type !== 'Metaspace' || metaspace.replacement !== SPACE || normalizers.length > 0)
    throw refuseTokenizer("it does not treat spaces as Llama's SentencePiece does");
  if (metaspace.split !== false) throw refuseTokenizer('it cuts text into words first, which llama.cpp does not for SentencePiece');
  const scheme = metaspace.prepend_scheme ?? (metaspace.add_prefix_space === false ? 'never' : 'always');
  // 'first' puts none after special tokens, and 'always' none where there is one already; llama.cpp does both.
  if (scheme !== 'never')
    throw refuseTokenizer(`it puts a space before a text where llama.cpp does not, or the other way round (${String(scheme)})`);
  return false;
}
