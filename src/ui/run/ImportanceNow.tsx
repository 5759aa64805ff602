// By what importance a run draws its layers, and how often it has drawn each.

import { SOURCE_WORDS } from '../../config/importance';
import type { RunPicture } from '../../store/run/picture';
import { formatList } from '../format';
import { ImportanceTable } from '../importance/ImportanceTable';
import { rowsOfRun } from '../importance/importance-rows';
import '../styles/importance.css';
import { Panel } from '../widgets/Panel';

export function ImportanceNow({ picture: { run, metrics } }: { readonly picture: RunPicture }) {
  const importance = run.report?.importance ?? run.prepared?.importance;
  const live = run.importance;
  const history = live.length > 0 ? live : (importance?.adapted?.history ?? []);
  if (!importance) return null;
  // The metrics grow in place, so that a version of them and not the list itself tells of a change.
  const rows = rowsOfRun(importance, metrics.periods, history);
  const { source, certain, adapted } = importance;
  const by = adapted ? `${SOURCE_WORDS[source]}, measured in this run` : SOURCE_WORDS[source];
  const always = certain.length > 0 && !adapted ? ` In every period: ${formatList(certain)}, because γ·p is 1 or more there.` : '';
  return (
    <Panel title="Layer importance" hint={`Layers are drawn by ${by}.${always}`}>
      <ImportanceTable rows={rows} />
    </Panel>
  );
}
