// How much a run forgets: text that the base wrote itself, sampled at temperature 1, and its loss under another model. The mean difference from
// the base's own loss on it is an estimate of the Kullback–Leibler divergence KL(base ‖ tuned), in nats a token, over such text.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Terminal } from '../terminal';
import { runOnce } from './run-once';

type Texts = readonly (readonly [prompt: string, text: string])[];

const WORDS =
  'water house dog tree river war king law bread stone fire school ship money music horse city garden paper glass winter gold wind road book ' +
  'song knife flower island engine doctor soldier bridge mountain market letter storm clock farm dream hand voice salt iron forest queen lamp coat';
const OPENINGS =
  'Once upon a time|One day|There was a|In the morning|The little|A boy named Tom|Lily was|The dog|Mom and dad|In a big house|It was a sunny day|Ben and Sue|' +
  'The old man|A cat|She had a|He was very|They went to|At the park|On a farm|The bird|A girl|Every day|Tim had|The sun';

/** What the base is asked to go on from: questions where the model chats, as the built-in one does, else openings of stories. */
export const ownPrompts = (chats: boolean): string[] => (chats ? WORDS.split(' ').map((word) => `What is ${word}?`) : OPENINGS.split('|'));

// One step that changes nothing: the loss before it is what is looked for.
const LOOK = ['--method', 'lora', '--steps', '1', '--warmup', '0', '--lr', '1e-12', '--measure-updates', 'off'];

/** Text that the base continues the prompts with, and how many layers it has. `base`: options that name the model and its data. */
export async function sampleOwnText(
  terminal: Terminal,
  base: readonly string[],
  prompts: readonly string[],
): Promise<{ layers: number; texts: Texts }> {
  const sampling = ['--temperature', '1', '--sample-tokens', '64', '--seed', '1', ...prompts.flatMap((prompt) => ['--prompt', prompt])];
  const { layers, samples } = await runOnce(terminal, 'text of the base', [...base, ...LOOK, ...sampling]);
  const before = samples.filter(({ when, text }) => when === 'before' && text.trim() !== '');
  return { layers, texts: before.map(({ prompt, text }) => [prompt, text]) };
}

/** Mean loss of the model in a folder, or by name, on the texts, in nats a target. */
export async function lossOnText(terminal: Terminal, model: readonly string[], texts: Texts, chats: boolean): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'lisa-own-text-'));
  const file = join(folder, 'own.jsonl');
  const rowOf = ([prompt, text]: Texts[number]): object =>
    chats
      ? {
          messages: [
            { role: 'user', content: prompt },
            { role: 'assistant', content: text.trim() },
          ],
        }
      : { text: prompt + text };
  await writeFile(file, `${texts.map((row) => JSON.stringify(rowOf(row))).join('\n')}\n`);
  try {
    const data = ['--data', file, '--eval-data', file, '--dedupe', 'off', '--prompt', 'a', '--sample-tokens', '1'];
    const { report } = await runOnce(terminal, 'text of the base', [...model, ...LOOK, ...data]);
    return report.evalLoss[0].loss;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
