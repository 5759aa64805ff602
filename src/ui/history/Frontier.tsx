// Held-out loss against measured peak memory, for runs whose losses can be compared: the picture, and the same numbers as a table.

import { lazy, Suspense, useMemo, useState } from 'react';
import type { RunSummary } from '../../store/history/record';
import { formatBytes, formatLoss } from '../format';
import { METHOD_NAMES } from '../labels';
import { Panel } from '../widgets/Panel';
import { useWidth } from '../widgets/size';
import { frontierGroups, type FrontierGroup } from './frontier-model';

const FrontierPlot = lazy(() => import('./FrontierPlot'));

export function Frontier({ runs }: { readonly runs: readonly RunSummary[] }) {
  const groups = useMemo(() => frontierGroups(runs), [runs]);
  const [chosen, setChosen] = useState('');
  if (groups.length === 0) return null;
  const group = groups.find(({ key }) => key === chosen) ?? groups[0];
  const choice = groups.length > 1 && (
    <label className="frontier-choice">
      <span className="hidden">Model and data</span>
      <select value={group.key} onChange={({ target }) => setChosen(target.value)}>
        {groups.map(({ key, name, points }) => (
          <option key={key} value={key}>
            {name} ({points.length} runs)
          </option>
        ))}
      </select>
    </label>
  );
  return (
    <Panel
      title="Loss against memory"
      hint={`Runs of ${group.name} with the same held-out rows. Lower left is better; the line joins the runs that no other beats in both.`}
      aside={choice}
    >
      <Picture group={group} />
      <details className="numbers">
        <summary>As a table</summary>
        <Numbers group={group} />
      </details>
    </Panel>
  );
}

function Picture({ group: { points } }: { readonly group: FrontierGroup }) {
  const [box, width] = useWidth<HTMLDivElement>();
  const spoken = points.map(({ name, loss, peak }) => `${name}: loss ${formatLoss(loss)} at ${formatBytes(peak)}`).join('; ');
  return (
    <div className="frontier-plot measures" ref={box} role="img" aria-label={`Held-out loss against peak memory. ${spoken}.`}>
      <Suspense fallback={null}>{width > 0 && <FrontierPlot points={points} width={width} />}</Suspense>
    </div>
  );
}

function Numbers({ group: { points } }: { readonly group: FrontierGroup }) {
  return (
    <div className="scroll" tabIndex={0} role="group" aria-label="Loss against memory as a table">
      <table>
        <thead>
          <tr>
            <th scope="col">Run</th>
            <th scope="col">Method</th>
            <th scope="col">Held-out loss</th>
            <th scope="col">Peak, measured</th>
            <th scope="col">Beaten by another</th>
          </tr>
        </thead>
        <tbody>
          {[...points]
            .sort((a, b) => a.peak - b.peak)
            .map(({ runId, name, method, loss, peak, beaten }) => (
              <tr key={runId}>
                <th scope="row">{name}</th>
                <td>{METHOD_NAMES[method]}</td>
                <td>{formatLoss(loss)}</td>
                <td>{formatBytes(peak)}</td>
                <td>{beaten ? 'yes' : 'no'}</td>
              </tr>
            ))}
        </tbody>
      </table>
    </div>
  );
}
