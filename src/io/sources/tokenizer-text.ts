// The tokenizer.json of a model, from the file or from GPT-2's older pair of files.

import { AppError } from '../../base/errors';
import { tokenizerJsonOf } from '../../data/tokenize/vocab-merges';
import type { ModelTexts } from './model-files';

/** Whether these files hold a tokenizer that may be read. */
export const hasTokenizer = (paths: readonly string[]): boolean =>
  paths.includes('tokenizer.json') || (paths.includes('vocab.json') && paths.includes('merges.txt'));

/** The remedy for a model without tokenizer.json: the command that makes one. */
export const CONVERT =
  "Where transformers is installed, run: python -c \"from transformers import AutoTokenizer; AutoTokenizer.from_pretrained('FOLDER').save_pretrained('FOLDER')\" with the model's folder, and choose it again.";

/** Throws TOKENIZER if there is none that can be read. */
export async function tokenizerText(files: Pick<ModelTexts, 'name' | 'text' | 'shape'>): Promise<string> {
  const json = await files.text('tokenizer.json');
  if (json !== null) return json;
  const [vocab, merges] = [await files.text('vocab.json'), await files.text('merges.txt')];
  const optional = async (path: string): Promise<string | undefined> => (await files.text(path)) ?? undefined;
  const made =
    vocab === null || merges === null
      ? null
      : tokenizerJsonOf({
          vocab,
          merges,
          tokenizerConfig: await optional('tokenizer_config.json'),
          addedTokens: await optional('added_tokens.json'),
          specialTokensMap: await optional('special_tokens_map.json'),
          modelType: files.shape.family,
        });
  if (made !== null) return made;
  const there =
    vocab === null ? '' : ' Its vocab.json and merges.txt are not of the kind of GPT-2, the only one that is read from these files.';
  throw new AppError('TOKENIZER', `${files.name} has no tokenizer.json.${there}`, CONVERT);
}
