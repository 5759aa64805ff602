// "Check this device": what the device proves about itself, in plain words, with the figures one click away and a report to copy.

import { useEffect, useState } from 'react';
import { cancelDeviceCheck, checkDevice, useDeviceCheck } from '../store/run/device-check';
import { useRunStore, isActive } from '../store/run/run';
import { verdict, type DeviceReport } from '../train/device-report';
import { formatLarge } from './format';

/** How long the button shows what it did. */
const TOLD_MS = 2000;

export function DeviceCheck() {
  const { progress, report, error } = useDeviceCheck();
  const busy = useRunStore(({ run }) => isActive(run));
  return (
    <div className="device-check">
      {progress ? (
        <div className="check-progress">
          <progress max={1} value={progress.fraction} aria-label="Check of the device" />
          <span className="note">{progress.what}</span>
          <button type="button" className="button" onClick={cancelDeviceCheck}>
            Cancel
          </button>
        </div>
      ) : (
        <div className="check-progress">
          <button type="button" className="button" disabled={busy} onClick={checkDevice} data-action="checkDevice">
            {report ? 'Check it again' : 'Check this device'}
          </button>
          <span className="note">
            {busy
              ? 'Possible when no run is training.'
              : 'Runs every kernel beside an exact reference, trains three steps and times it: seconds on a graphics card.'}
          </span>
        </div>
      )}
      <div aria-live="polite">
        {error && (
          <p className="note">
            {error.detail} {error.remedy}
          </p>
        )}
        {report && !progress && <p>{verdict(report)}</p>}
      </div>
      {report && !progress && <Figures report={report} />}
    </div>
  );
}

function Figures({ report }: { readonly report: DeviceReport }) {
  return (
    <details>
      <summary>Figures</summary>
      <table className="figures">
        <caption className="hidden">Speed by kind of kernel</caption>
        <thead>
          <tr>
            <th scope="col">Kind</th>
            <th scope="col">Family</th>
            <th scope="col">Speed</th>
          </tr>
        </thead>
        <tbody>
          {report.speed.map(({ name, group, perSecond, unit }) => (
            <tr key={`${name} ${group}`}>
              <td>{name}</td>
              <td>{group === 'all' ? '' : group}</td>
              <td>{`${formatLarge(perSecond)}${unit === 'FLOP' ? 'FLOP' : 'B'}/s`}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <table className="figures">
        <caption className="hidden">Errors of kernels</caption>
        <thead>
          <tr>
            <th scope="col">Kernel</th>
            <th scope="col">Largest error</th>
            <th scope="col">At most</th>
            <th scope="col">Right</th>
          </tr>
        </thead>
        <tbody>
          {report.kernels.map(({ name, group, error, bound, right, refused }) => (
            <tr key={`${name} ${group}`}>
              <td>
                {name}
                {group !== 'all' && <span className="note"> {group}</span>}
              </td>
              <td>{refused !== undefined ? 'refused' : (error?.toExponential(1) ?? 'not finite')}</td>
              <td>{bound.toExponential(1)}</td>
              <td>{right ? 'yes' : 'no'}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <CopyReport report={report} />
    </details>
  );
}

function CopyReport({ report }: { readonly report: DeviceReport }) {
  const [copied, setCopied] = useState<'yes' | 'refused' | null>(null);
  useEffect(() => {
    if (copied === null) return;
    const timer = setTimeout(() => setCopied(null), TOLD_MS);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = (): void => {
    navigator.clipboard.writeText(JSON.stringify(report, null, 2)).then(
      () => setCopied('yes'),
      () => setCopied('refused'),
    );
  };
  return (
    <p>
      <button type="button" className="button" onClick={copy}>
        <span aria-live="polite">{copied === null ? 'Copy the report (JSON)' : copied === 'yes' ? 'Copied' : 'The browser refused'}</span>
      </button>{' '}
      <span className="note">It names the device, its limits and the browser, and nothing about you or your data.</span>
    </p>
  );
}
