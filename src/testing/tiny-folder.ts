// For tests in Node: a fixture model as a folder in Hugging Face layout that a run can start from. The fixtures have
// no tokenizer; this one makes every byte a token of its own.

import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeSafetensors } from '../io/formats/safetensors';
import { collect } from './tiny-model';
import type { Half } from '../dispatch/types';
import { loadFixture, type FixtureName } from './fixtures';

/** Ids 0 to 2 are <s>, <unk> and </s>, as the fixtures' config.json says; byte b is 3 + b. */
export const FIRST_BYTE = 3;

/** Byte-level BPE without merges: GPT-2's alphabet of printable stand-ins, 259 tokens. `renumber` moves ids. */
export function tinyTokenizerJson(renumber: (id: number) => number = (id) => id): string {
  const isPrintable = (byte: number): boolean => (byte > 32 && byte < 127) || (byte > 160 && byte < 256 && byte !== 173);
  const vocab: Record<string, number> = {};
  let standIns = 0;
  for (let byte = 0; byte < 256; byte++)
    vocab[String.fromCodePoint(isPrintable(byte) ? byte : 256 + standIns++)] = renumber(FIRST_BYTE + byte);
  const special = (id: number, content: string): object => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  });
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  return JSON.stringify({
    version: '1.0',
    added_tokens: [special(0, '<s>'), special(1, '<unk>'), special(2, '</s>')],
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: null,
    decoder: byteLevel,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      vocab,
      merges: [],
    },
  });
}

export const TINY_TOKENIZER_CONFIG = JSON.stringify({
  bos_token: '<s>',
  eos_token: '</s>',
  unk_token: '<unk>',
  add_bos_token: false,
  tokenizer_class: 'GPT2TokenizerFast',
});

/** A new temporary folder, and a function that removes it. */
export function temporaryFolder(name: string): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), `lisa-${name}-`));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Writes config.json, model.safetensors and a tokenizer to `folder`; `replace` gives other contents by file name, null leaves a file out. */
export function writeTinyModel(
  folder: string,
  fixture: FixtureName,
  replace: Readonly<Record<string, string | Uint8Array | null>> = {},
): string {
  mkdirSync(folder, { recursive: true });
  const from = (name: string): string => fileURLToPath(new URL(`./fixtures/${fixture}/${name}`, import.meta.url));
  for (const name of ['config.json', 'model.safetensors']) if (!(name in replace)) copyFileSync(from(name), join(folder, name));
  const texts = { 'tokenizer.json': tinyTokenizerJson(), 'tokenizer_config.json': TINY_TOKENIZER_CONFIG, ...replace };
  for (const [name, contents] of Object.entries(texts)) if (contents !== null) writeFileSync(join(folder, name), contents);
  return folder;
}

/** model.safetensors of a fixture with all tensors rounded to 16 bits. */
export function halfModelFile(fixture: FixtureName, dtype: Half): Promise<Uint8Array<ArrayBuffer>> {
  const tensors = [...loadFixture(fixture).weights].map(([name, { shape, values }]) => ({
    name,
    dtype,
    shape,
    data: (start: number, end: number) => values.slice(start, end),
  }));
  return collect(writeSafetensors(tensors, { format: 'pt' }).chunks());
}
