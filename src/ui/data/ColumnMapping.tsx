// Which column of the file holds which field. Nothing is mapped unless the person says so; likely mappings are suggested.

import { useState } from 'react';
import { rolesOf, SHAPE_NAMES, type RowShape, type ColumnMap, type ColumnRole } from '../../data/read/column-map';
import { suggestColumns } from '../../data/read/columns';
import type { DataHead } from '../../data/sample/preview';
import { mapColumns } from '../../store/setup/sources';
import { fieldId } from '../labels';
import { WhyOf } from '../widgets/fields';
import { describeMap, draftOf, draftOfMap, mapOf, needs, ownColumn, SHAPE_LABELS, withColumn, type ColumnDraft } from './column-draft';
import { formatName } from './data-words';

/** Number of columns that are listed. */
const MOST_NAMED = 12;

interface ColumnMappingProps {
  readonly head: Pick<DataHead, 'format' | 'columns'>;
  readonly map: ColumnMap | null;
}

export function ColumnMapping({ head: { format, columns }, map }: ColumnMappingProps) {
  // A map that is not complete yet; it goes into the settings as soon as it is.
  const [started, setStarted] = useState<ColumnDraft | null>(null);
  const draft = started ?? (map && draftOfMap(map, columns));
  const suggestion = suggestColumns(columns);

  const take = (next: ColumnDraft | null): void => {
    const made = next && mapOf(next);
    setStarted(next && !made ? next : null);
    if (made || !next) mapColumns(made);
  };
  return (
    <fieldset className="mapping" id={fieldId('columns')} tabIndex={-1}>
      <legend className="hidden">Columns</legend>
      <div className="mapping-fields">
        <div className="field">
          <div className="field-head">
            <label htmlFor="rows-are">Columns</label>
            <WhyOf name="columns" />
          </div>
          <select
            id="rows-are"
            value={draft?.shape ?? ''}
            onChange={({ target }) => take(target.value === '' ? null : draftOf(target.value as RowShape, columns, suggestion))}
          >
            <option value="">As found in the file</option>
            {SHAPE_NAMES.map((shape) => (
              <option key={shape} value={shape}>
                {SHAPE_LABELS[shape]}
              </option>
            ))}
          </select>
        </div>
        {draft &&
          rolesOf(draft.shape).map((role) => (
            <RoleField
              key={role}
              role={role}
              draft={draft}
              columns={columns}
              onChange={(column) => take(withColumn(draft, role, column))}
            />
          ))}
      </div>
      {started && <p className="note fault">Choose a column for every field that is still empty.</p>}
      {!draft && (
        <p className="note">
          {format === null ? 'No known fields' : formatName(format)}; the columns are {columns.slice(0, MOST_NAMED).join(', ')}
          {columns.length > MOST_NAMED && ` and ${columns.length - MOST_NAMED} more`}.
        </p>
      )}
      {!draft && suggestion && (
        <div className="suggestion">
          <p>Suggested mapping: {describeMap(suggestion)}.</p>
          <button type="button" className="button" onClick={() => mapColumns(suggestion)}>
            Use this mapping
          </button>
        </div>
      )}
    </fieldset>
  );
}

interface RoleFieldProps {
  readonly role: ColumnRole;
  readonly draft: ColumnDraft;
  readonly columns: readonly string[];
  readonly onChange: (column: string) => void;
}

function RoleField({ role, draft, columns, onChange }: RoleFieldProps) {
  const value = draft.columns[role] ?? '';
  const id = `column-${role}`;
  const optional = !needs(draft.shape, role);
  // A column with the field's own name is read unless another column is mapped.
  const none = ownColumn(role, columns) === '' || !optional;
  const missing = value !== '' && !columns.includes(value);
  return (
    <div className="field">
      <div className="field-head">
        <label htmlFor={id}>{role}</label>
      </div>
      <select id={id} value={value} onChange={({ target }) => onChange(target.value)}>
        {none && <option value="">{optional ? 'none' : 'Choose…'}</option>}
        {missing && <option value={value}>{value} (not in the file)</option>}
        {columns.map((column, i) => (
          <option key={i} value={column}>
            {column || '(no name)'}
          </option>
        ))}
      </select>
    </div>
  );
}
