// JavaScript's regular expressions define spaces and digits differently from Rust's, and models were trained on the output of
// Rust's tokenizers. @huggingface/tokenizers rewrites the patterns that stand in a tokenizer.json, but not two that it holds
// itself: ByteLevel's (GPT-2's words) has JavaScript's \s, which counts U+FEFF and lacks U+0085, and Digits' has its \d, which
// is 0-9 alone where Rust's is any numeric character. `npm run tokenizers` compares the outcome.

import { ByteLevelPreTokenizer, DigitsPreTokenizer, SequencePreTokenizer, type PreTokenizer } from '@huggingface/tokenizers';

const WORDS =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/** Sets the patterns of a pre-tokenizer and of those inside it to Rust's. */
export function useRustPatterns(preTokenizer: PreTokenizer | null): void {
  if (preTokenizer instanceof SequencePreTokenizer) preTokenizer.tokenizers.forEach(useRustPatterns);
  else if (preTokenizer instanceof ByteLevelPreTokenizer) preTokenizer.pattern = WORDS;
  else if (preTokenizer instanceof DigitsPreTokenizer)
    preTokenizer.pattern = preTokenizer.config.individual_digits ? /\P{N}+|\p{N}/gu : /\P{N}+|\p{N}+/gu;
}
