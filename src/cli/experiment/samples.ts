// The samples of an experiment as Markdown: for each prompt what the model wrote before training, once, and what it
// wrote after training, by method or variant and seed.

import type { Sample } from '../../train/events';

/** Samples of the runs of each method, in the order of the seeds. */
export function samplesByPrompt(runs: ReadonlyMap<string, readonly (readonly Sample[])[]>, seeds: readonly number[]): string {
  const all = [...runs.values()].flat(2);
  const texts = (samples: readonly Sample[], prompt: string, when: Sample['when']): string[] =>
    samples.filter((sample) => sample.prompt === prompt && sample.when === when).map(({ text }) => JSON.stringify(text.trim()));
  const prompts = [...new Set(all.map(({ prompt }) => prompt))];
  return prompts
    .flatMap((prompt) => [
      `- \`${prompt}\``,
      // Before training every run writes the same text; if one differs, the output shows it.
      `  - before: ${[...new Set(texts(all, prompt, 'before'))].join(' or ')}`,
      ...[...runs].flatMap(([method, list]) =>
        list.map((samples, at) => `  - ${method}, seed ${seeds[at]}: ${texts(samples, prompt, 'after').join(' or ')}`),
      ),
    ])
    .join('\n');
}
