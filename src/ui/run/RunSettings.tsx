// The settings that a run was started with. They do not change with the form.

import { describePolicies, describeRows } from '../../config/policies';
import { appliesTo, CONFIG_KEYS, configDiff, fieldOf, type ConfigKey } from '../../config/run-config';
import type { Run } from '../../store/run/run';
import { formatCount } from '../format';
import { LABELS } from '../labels';
import { settingText } from '../setting-text';

/** Told in one line. */
const POLICIES: readonly ConfigKey[] = ['alwaysOn', 'lisaEmbedding', 'lisaHead', 'lisaNorm'];

export function RunSettings({ run }: { readonly run: Run }) {
  const { config, prepared } = run;
  const changed = configDiff(config);
  const used = CONFIG_KEYS.filter((key) => appliesTo(key, config.method) && !POLICIES.includes(key));
  const isListed = (key: ConfigKey): boolean => fieldOf(key).listed === true;
  const shown = [...used.filter(isListed), ...used.filter((key) => !isListed(key) && Object.hasOwn(changed, key))];
  return (
    <details className="panel settings" open>
      <summary>Settings of this run</summary>
      <Rows
        rows={[
          ...shown.map((key): [string, string] => [LABELS[key].label, settingText(key, config)]),
          ...(config.method === 'lisa' && prepared
            ? [
                ['Besides the layers', describePolicies(config, prepared.shape.tied)] satisfies [string, string],
                ...(prepared.rows ? [['Rows', describeRows(prepared.rows.trained, prepared.rows.all)] satisfies [string, string]] : []),
              ]
            : []),
        ]}
      />
      {prepared && (
        <details>
          <summary>Data</summary>
          <Rows
            rows={[
              ['Format', prepared.data.format],
              ['Rows', formatCount(prepared.data.rows)],
              ['Held out', formatCount(prepared.data.evalRows)],
              ['Duplicates removed', formatCount(prepared.data.duplicates)],
              ['Tokens', formatCount(prepared.data.tokens)],
              ['Count toward the loss', formatCount(prepared.data.targets)],
              ['Truncated rows', formatCount(prepared.data.truncated)],
              ['Dropped rows', formatCount(prepared.data.dropped)],
              ['Malformed rows', formatCount(prepared.data.badRows)],
            ]}
          />
        </details>
      )}
    </details>
  );
}

function Rows({ rows }: { readonly rows: readonly (readonly [string, string])[] }) {
  return (
    <dl className="rows">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
