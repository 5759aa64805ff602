// Writes published tokenizers into the metadata of a GGUF file and checks that llama.cpp cuts texts into the same
// tokens. The model around them is one tiny layer.

import { exportGguf } from '../../src/export/gguf/export';
import { openModel } from '../../src/io/sources/model-files';
import { memorySource, modelFolder, tensorsOf, utf8 } from '../../src/testing/tiny-model';
import { ggufSpecials } from '../../src/export/run-gguf';
import { openTokenizer } from '../../src/train/prepare';
import { judged } from '../tokenizers/files';
import { fuzzedStrings } from '../tokenizers/strings';
import type { Llama } from './llama';

/** Texts of many kinds, as people write them (in NFC). */
export const TEXTS: readonly string[] = [
  'Once upon a time, there was a little girl named Lily.',
  '  Two spaces before,\nthree lines\n\nand 1234567 numbers, 3.14159; tabs\tand "quotes" aren\'t easy.',
  'Grüße aus Łódź, naïve café, 東京都に住んでいます。Привет, мир! مرحبا بالعالم नमस्ते 안녕하세요',
  'Emoji 🙂👩‍👩‍👧‍👦 🇩🇪, arrows → ⇒, maths ∑ x² ≤ ½, currency €5 £6 ¥7.',
  "I'm, you're, he'll, we've, they'd, it's, DON'T, O'Neill; 'single' ‘curly’ “double”",
  'def f(x):\n    """Doc."""\n\treturn {"a": [1, 2, 3], "b": x**2 + 0x1F}  # comment\r\n\r\nif __name__ == "__main__": pass',
  '\n\n\n   \n\t\t  spaces   everywhere    \n',
  'a',
  ' ',
  '12345678901234567890 1,234,567.89 2024-07-26T12:34:56Z v1.2.3-rc4 192.168.0.1',
  '<b>html</b> &amp; https://example.org/path?query=1&other=two#part user@example.org C:\\Users\\x',
  'ALLCAPS CamelCase snake_case kebab-case iPhone17Pro McDonald’s 3rd 21st XXIV',
];

export interface Cut {
  readonly name: string;
  readonly texts: number;
  readonly otherwise: readonly string[];
  readonly fuzzed: number;
  readonly fuzzedOtherwise: number;
  /** Why there is no GGUF file for it. */
  readonly refused: string | null;
}

/** `write` gives the file's path. */
export async function cutTexts(
  llama: Llama,
  write: (name: string, file: Awaited<ReturnType<typeof exportGguf>>) => Promise<string>,
): Promise<Cut[]> {
  const found: Cut[] = [];
  for (const { name, files: texts } of judged()) {
    const json = JSON.parse(texts.tokenizerJson) as { model: { vocab: Record<string, number> }; added_tokens: { id: number }[] };
    const last = [...Object.values(json.model.vocab), ...json.added_tokens.map(({ id }) => id)].reduce((a, b) => Math.max(a, b), 0);
    const config = {
      model_type: 'llama',
      vocab_size: last + 1,
      hidden_size: 4,
      intermediate_size: 8,
      num_hidden_layers: 1,
      num_attention_heads: 1,
      max_position_embeddings: 64,
      tie_word_embeddings: true,
    };
    const folder = await modelFolder(config, tensorsOf(config).values());
    folder.set('tokenizer.json', utf8(texts.tokenizerJson));
    folder.set('tokenizer_config.json', utf8(texts.tokenizerConfig ?? '{}'));
    const files = await openModel(memorySource(folder, name));
    const tokenizer = await openTokenizer(files);
    const cut: Cut = { name, texts: TEXTS.length, otherwise: [], fuzzed: 0, fuzzedOtherwise: 0, refused: null };
    const file = await exportGguf({ files, tensor: files.tensor, type: 'f16', specials: ggufSpecials(tokenizer) }).catch(
      (error: Error) => error,
    );
    if (file instanceof Error) {
      found.push({ ...cut, refused: file.message });
      continue;
    }
    const model = await llama.loadModel({ modelPath: await write(`tokenizer-${found.length}.gguf`, file) });
    const differs = (text: string): boolean => tokenizer.encode(text).join() !== model.tokenize(text, true).join();
    const fuzzed = [...fuzzedStrings(1, 500, [])].filter((text) => text.isWellFormed() && text.normalize('NFC') === text);
    found.push({ ...cut, otherwise: TEXTS.filter(differs), fuzzed: fuzzed.length, fuzzedOtherwise: fuzzed.filter(differs).length });
    await model.dispose();
  }
  return found;
}
