// What the model writes to the same prompts before and after, side by side.

import type { Run } from '../../store/run';
import type { Sample } from '../../train/protocol';
import { Panel } from '../parts/Panel';

interface Pair {
  readonly prompt: string;
  readonly before?: Sample;
  readonly after?: Sample;
}

/** One entry a prompt, in the order of the first sample. */
export function pairSamples(samples: readonly Sample[]): Pair[] {
  const pairs = new Map<string, Pair>();
  for (const sample of samples) {
    if (sample.when === 'during') continue;
    pairs.set(sample.prompt, { ...pairs.get(sample.prompt), prompt: sample.prompt, [sample.when]: sample });
  }
  return [...pairs.values()];
}

export function Samples({ run }: { readonly run: Run }) {
  const pairs = pairSamples(run.samples);
  if (pairs.length === 0) return null;
  return (
    <Panel
      title="Samples"
      aside={<span className="note">{run.config.temperature === 0 ? 'greedy' : `temperature ${run.config.temperature}`}</span>}
    >
      {pairs.map(({ prompt, before, after }) => (
        <article className="sample" key={prompt}>
          <h3>{prompt}</h3>
          <div className="sample-pair">
            <Text title="Before" sample={before} />
            <Text title={after ? `After step ${after.step}` : 'After'} sample={after} />
          </div>
        </article>
      ))}
    </Panel>
  );
}

function Text({ title, sample }: { readonly title: string; readonly sample?: Sample }) {
  return (
    <div className="sample-text" data-sample={sample?.when}>
      <h4>{title}</h4>
      {sample ? <p>{sample.text || '(nothing)'}</p> : <p className="note">Written when the run ends.</p>}
    </div>
  );
}
