// What to expect of each method: recorded runs of the built-in model, with the words that their figures allow.

import { lazy, Suspense } from 'react';
import { mean, spread } from '../../base/statistics';
import { METHODS, type Method } from '../../config/field';
import { formatBytes, formatLoss } from '../format';
import type { FrontierPoint } from '../history/frontier-model';
import { METHOD_NAMES } from '../labels';
import { useWidth } from '../widgets/size';
import '../styles/expect.css';
import recorded from './recorded.json';
import { expectWords, type Recorded } from './words';

const FrontierPlot = lazy(() => import('../history/FrontierPlot'));
const { date, device, steps, methods, levers }: Recorded = recorded;

const nameOf = (method: string): string => METHOD_NAMES[METHODS.find((known) => known === method) ?? 'lisa'];
const seeds = (after: readonly number[]): string => `${formatLoss(mean(after))} ± ${spread(after).toFixed(3)}`;

const points: readonly FrontierPoint[] = beaten([
  ...methods.map(({ method, after, peak }) => ({ runId: method, name: nameOf(method), method: method as Method, peak, loss: mean(after) })),
  ...levers.map(({ name, after, peak }) => ({ runId: name, name: `LISA, ${name}`, method: 'lisa' as const, peak, loss: mean(after) })),
]);

function beaten(plain: readonly Omit<FrontierPoint, 'beaten'>[]): FrontierPoint[] {
  return plain.map((point) => ({
    ...point,
    beaten: plain.some((other) => other !== point && other.peak <= point.peak && other.loss <= point.loss),
  }));
}

export default function Expect() {
  const [box, width] = useWidth<HTMLDivElement>();
  const spoken = points.map(({ name, loss, peak }) => `${name}: loss ${formatLoss(loss)} at ${formatBytes(peak)}`).join('; ');
  return (
    <div className="expect">
      <p className="note">
        The built-in model on The Devil’s Dictionary, {steps} steps, each method at the best of at least four learning rates, three seeds;
        loss on held-out rows (before: {formatLoss(methods[0].before)}). {device}, {date}. Other models and data will differ.
      </p>
      <div className="scroll" tabIndex={0} role="group" aria-label="Recorded results as a table">
        <table>
          <thead>
            <tr>
              <th scope="col">Method</th>
              <th scope="col">Loss after</th>
              <th scope="col">Peak memory</th>
              <th scope="col" title="Loss gained on text that the model wrote itself before training, in nats a token">
                Forgotten
              </th>
            </tr>
          </thead>
          <tbody>
            {methods.map(({ method, after, peak, forgot }) => (
              <tr key={method}>
                <th scope="row">{nameOf(method)}</th>
                <td title={after.map(formatLoss).join(', ')}>{seeds(after)}</td>
                <td>{formatBytes(peak)}</td>
                <td>{forgot === undefined ? 'not measured' : forgot.toFixed(2)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {expectWords(recorded).map((words) => (
        <p key={words}>{words}</p>
      ))}
      <div className="expect-plot measures" ref={box} role="img" aria-label={`Held-out loss against peak memory. ${spoken}.`}>
        <Suspense fallback={null}>{width > 0 && <FrontierPlot points={points} width={width} />}</Suspense>
      </div>
    </div>
  );
}
