// What the base and the tuned model wrote for the run's prompts, side by side, as soon as the run has ended.

import type { Run } from '../../store/run/run';
import { baseSample, promptsOf, sampleAfter, sampleSteps } from './sample-times';

/** More prompts are in the samples further down. */
const MOST = 3;

export function Answers({ run: { samples } }: { readonly run: Run }) {
  const last = sampleSteps(samples).at(-1);
  if (last === undefined) return null;
  const shown = promptsOf(samples).slice(0, MOST);
  return (
    <table className="answers">
      <thead>
        <tr>
          <th scope="col">Held-out prompt</th>
          <th scope="col">Base model</th>
          <th scope="col">Tuned model</th>
        </tr>
      </thead>
      <tbody>
        {shown.map((prompt) => (
          <tr key={prompt}>
            <th scope="row">{prompt}</th>
            <td>{textOf(baseSample(samples, prompt)?.text)}</td>
            <td data-side="tuned">{textOf(sampleAfter(samples, prompt, last)?.text)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const textOf = (text: string | undefined): string => (text === undefined ? '–' : text.trim() === '' ? '(nothing)' : text.trim());
