// Our tokenizer and the Rust one on the same strings. README.md says how to run it and what it prints.

import { createRequire } from 'node:module';
import { chatOf } from '../../src/data/tokenize/chat';
import { loadTokenizer } from '../../src/data/tokenize/tokenizer';
import type { Message } from '../../src/data/read/types';
import { judged, type Judged } from './files';
import { fuzzedStrings } from './strings';

interface RustEncoding {
  getIds(): number[];
}
interface RustTokenizer {
  encode(text: string, pair: null, options: { addSpecialTokens: boolean }): Promise<RustEncoding>;
  decode(ids: number[], skipSpecialTokens: boolean): Promise<string>;
}
const { Tokenizer } = createRequire(import.meta.url)('@anush008/tokenizers') as { Tokenizer: { fromString(json: string): RustTokenizer } };

/** Strings that are printed whole. */
const SHOWN = 10;

const same = (a: readonly number[], b: readonly number[]): boolean => a.length === b.length && a.every((id, i) => id === b[i]);

interface Differences {
  encode: number;
  specials: number;
  decode: number;
}

async function compare({ name, from, files }: Judged, seed: number, count: number): Promise<Differences> {
  // transformers tidies decoded text if the configuration says so (" ." to "."); the Rust tokenizers do not.
  const config = { ...(JSON.parse(files.tokenizerConfig ?? '{}') as object), clean_up_tokenization_spaces: false };
  const ours = loadTokenizer({ ...files, tokenizerConfig: JSON.stringify(config) }, Number.MAX_SAFE_INTEGER);
  const theirs = Tokenizer.fromString(files.tokenizerJson);
  const { added_tokens: added = [] } = JSON.parse(files.tokenizerJson) as { added_tokens?: { content: string }[] };
  const found: Differences = { encode: 0, specials: 0, decode: 0 };
  const tell = (what: keyof Differences, text: string, we: unknown, they: unknown): void => {
    found[what]++;
    if (found.encode + found.specials + found.decode > SHOWN) return;
    console.log(
      `  ${name} ${what}: ${JSON.stringify(text.slice(0, 200))}\n    ours ${JSON.stringify(we)}\n    Rust ${JSON.stringify(they)}`,
    );
  };
  for (const text of fuzzedStrings(
    seed,
    count,
    added.map(({ content }) => content),
  )) {
    const [plain, withSpecials] = [ours.encode(text), ours.encodeWithSpecials(text)];
    const rust = (await theirs.encode(text, null, { addSpecialTokens: false })).getIds();
    const rustSpecials = (await theirs.encode(text, null, { addSpecialTokens: true })).getIds();
    if (!same(plain, rust)) tell('encode', text, plain, rust);
    else if (!same(withSpecials, rustSpecials)) tell('specials', text, withSpecials, rustSpecials);
    const [decoded, rustDecoded] = [ours.decode(rust), await theirs.decode(rust, false)];
    if (decoded !== rustDecoded) tell('decode', text, decoded, rustDecoded);
  }
  console.log(
    `${name.padEnd(13)} ${count} strings: ${found.encode} encoded otherwise, ${found.specials} with special tokens, ${found.decode} decoded otherwise (files: ${from})`,
  );
  return found;
}

const TURNS: readonly Message[] = [
  { role: 'user', content: 'One?' },
  { role: 'assistant', content: 'Two.' },
  { role: 'user', content: 'Three?' },
  { role: 'assistant', content: 'Four.' },
];

/** The texts that count toward the loss with the published chat template, one list per sample. */
const LEARNED: Readonly<Record<string, readonly (readonly string[])[]>> = {
  Qwen3: [['<think>\n\n</think>\n\nTwo.<|im_end|>'], ['<think>\n\n</think>\n\nFour.<|im_end|>']],
  'Llama 3.1': [['Two.<|eot_id|>', 'Four.<|eot_id|>']],
};

/** True if the published template is rendered and masked as it should be. */
function checkTemplate({ name, files }: Judged): boolean {
  const expected = LEARNED[name];
  if (!expected) return true;
  const tokenizer = loadTokenizer(files, Number.MAX_SAFE_INTEGER);
  const samples = chatOf(tokenizer).encode(TURNS, 'assistant');
  const learned = samples.map(({ ids, target }) => {
    const texts: string[] = [];
    for (let i = 0; i < ids.length; i++) {
      const start = i;
      while (target[i]) i++;
      if (i > start) texts.push(tokenizer.decode([...ids.slice(start, i)]));
    }
    return texts;
  });
  const starts = samples.map(({ ids }) => ids.filter((id) => id === tokenizer.bosId).length);
  const right = JSON.stringify(learned) === JSON.stringify(expected) && starts.every((count) => count <= 1);
  console.log(
    `${name.padEnd(13)} its chat template: loss on ${JSON.stringify(learned)}${right ? '' : `; expected ${JSON.stringify(expected)}`}`,
  );
  return right;
}

/** Resolves with the number of differences. */
export async function check(seed: number, count: number): Promise<number> {
  console.log(`seed ${seed}, Unicode ${process.versions.unicode}`);
  let differ = 0;
  for (const tokenizer of judged()) {
    const { encode, specials, decode } = await compare(tokenizer, seed, count);
    differ += encode + specials + decode + (checkTemplate(tokenizer) ? 0 : 1);
  }
  return differ;
}
