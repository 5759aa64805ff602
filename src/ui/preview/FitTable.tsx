// Which known models fit in how much memory: with these settings, or with every setting that saves memory. Calculated once it is opened.

import { useState } from 'react';
import type { RunConfig } from '../../config/run-config';
import { formatBytes } from '../format';
import { KNOWN_MODELS, type KnownModel } from '../known-models';
import { fitConfig } from './forecasts';
import { usePlanned } from './planning';

const GB = 1e9;
const SIZES = [4 * GB, 8 * GB, 16 * GB];

interface FitTableProps {
  readonly config: RunConfig;
  readonly budget: number | null;
}

export function FitTable({ config, budget }: FitTableProps) {
  const [open, setOpen] = useState(false);
  const sizes = [...new Set([...(budget === null ? [] : [budget]), ...SIZES])].sort((a, b) => a - b);
  return (
    <details className="fits" onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>Which models fit in {SIZES.map((size) => size / GB).join(', ')} GB</summary>
      {open && (
        <>
          <div className="scroll">
            <table>
              <thead>
                <tr>
                  <th scope="col">Model</th>
                  <th scope="col">These settings</th>
                  <th scope="col">At least</th>
                  {sizes.map((size) => (
                    <th scope="col" key={size}>
                      {formatBytes(size)}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {KNOWN_MODELS.map((model) => (
                  <Row key={model.name} model={model} config={config} sizes={sizes} />
                ))}
              </tbody>
            </table>
          </div>
          <p className="note">
            At least: with every setting that saves memory, as “Fit to the budget” would choose them. All rows of the vocabulary count,
            because nobody has counted the tokens that your data has for these models. Drivers and other programs need memory, too.
          </p>
        </>
      )}
    </details>
  );
}

interface RowProps {
  readonly model: KnownModel;
  readonly config: RunConfig;
  readonly sizes: readonly number[];
}

function Row({ model: { name, shape, types }, config, sizes }: RowProps) {
  const { answer, stale } = usePlanned(`fits ${name}`, 'range', { model: { shape, types }, config: fitConfig(config, shape) });
  const told = answer && !stale ? answer : null;
  return (
    <tr aria-busy={told === null}>
      <th scope="row">{name}</th>
      <td>{told ? formatBytes(told.own) : '…'}</td>
      <td>{told ? formatBytes(told.least) : '…'}</td>
      {sizes.map((size) => (
        <td key={size} data-fits={told ? (told.own <= size ? 'yes' : told.least <= size ? 'saving' : 'no') : undefined}>
          {told ? (told.own <= size ? 'fits' : told.least <= size ? 'fits if it saves' : 'no') : '…'}
        </td>
      ))}
    </tr>
  );
}
