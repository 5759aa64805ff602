// What is known about the GPU: its kind, its limits in words, its measured speed, and the disk space that the browser gives
// this page.

import { useEffect, useState } from 'react';
import { measuredQuota } from '../base/quota';
import type { DeviceState } from '../store/run/device';
import { useDeviceStore } from '../store/run/device';
import { setPreference, usePreferences } from '../store/preferences';
import { useRunStore } from '../store/run/run';
import { useMeasuredSpeed } from '../store/run/speed';
import { reopenDevice } from '../store/run/actions';
import { DeviceCheck } from './DeviceCheck';
import { formatBytes, formatLarge, formatPercent, plural } from './format';
import { Switch } from './widgets/fields';
import './styles/hardware.css';

type Ready = Extract<DeviceState, { status: 'ready' }>;
type Row = readonly [name: string, value: string, title?: string];

const MORE_ABOUT = {
  buffer: 'The largest buffer that the GPU can allocate. A matrix of a layer has to fit one buffer.',
  binding: 'The largest range of a buffer that a kernel can use at once. Larger vocabulary matrices are cut into shards.',
  f16: 'Half-precision arithmetic in kernels. LISA Studio computes in 32 bits and works without it.',
};

function deviceRows({ device, limits, features }: Ready): Row[] {
  const { vendor, architecture, description, software } = device;
  const maker = [vendor, architecture].filter((part) => part !== '').join(', ');
  return [
    ['Adapter', description],
    ['Maker and architecture', maker || 'not reported by the browser'],
    ['Kind', software ? 'Software renderer on the processor: correct, but slow' : 'Graphics hardware'],
    ['Largest buffer', formatBytes(limits.maxBufferSize), MORE_ABOUT.buffer],
    ['Largest binding', formatBytes(limits.maxStorageBufferBindingSize), MORE_ABOUT.binding],
    ['16-bit floats (shader-f16)', features.includes('shader-f16') ? 'yes' : 'no', MORE_ABOUT.f16],
  ];
}

interface Room {
  readonly usage: number;
  /** Null if the browser does not say. */
  readonly quota: number | null;
}

/** Undefined while the browser is asked, null if it does not say. */
function useStorage(): Room | null | undefined {
  const [estimate, setEstimate] = useState<Room | null>();
  useEffect(() => {
    let shown = true;
    const take = (found: StorageEstimate | null): void => {
      if (!shown) return;
      setEstimate(found?.usage === undefined ? null : { usage: found.usage, quota: measuredQuota(found) });
    };
    // Absent outside secure contexts.
    const storage = navigator.storage as StorageManager | undefined;
    if (storage) storage.estimate().then(take, () => take(null));
    else take(null);
    return () => {
      shown = false;
    };
  }, []);
  return estimate;
}

function storageText(storage: ReturnType<typeof useStorage>): string {
  if (storage === undefined) return 'asking the browser…';
  if (storage === null) return 'not told by the browser';
  const { usage, quota } = storage;
  if (quota === null) return `${formatBytes(usage)} used; the browser does not report the limit`;
  return `${formatBytes(usage)} of ${formatBytes(quota)} used (${formatPercent(usage / quota)})`;
}

export function HardwareCard({ device }: { readonly device: Ready }) {
  const probe = useDeviceStore((state) => state.flopsPerSecond);
  const speed = useMeasuredSpeed();
  const storage = useStorage();
  const rows: Row[] = deviceRows(device);
  if (speed?.from.what === 'training')
    rows.push(['Training speed', `${formatLarge(speed.flopsPerSecond)}FLOP/s over ${plural(speed.from.steps, 'step')} (measured)`]);
  rows.push(['Matrix product speed', probe === null ? 'not measured yet' : `${formatLarge(probe)}FLOP/s (measured)`]);
  rows.push(['Storage used by this page', storageText(storage), 'It holds checkpoints and past runs. All pages at this address share it.']);
  return (
    <>
      <dl className="rows hardware">
        {rows.map(([name, value, title]) => (
          <div key={name} title={title}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {!device.device.software && <LowPower />}
      <DeviceCheck />
    </>
  );
}

/** Browsers follow this if there are two graphics devices; on battery they may decide otherwise. */
function LowPower() {
  const lowPower = usePreferences((state) => state.lowPower);
  const busy = useRunStore(({ run }) => run !== null);
  return (
    <div className="switches">
      <Switch
        label="Prefer the GPU that uses less power"
        checked={lowPower}
        onChange={(on) => {
          setPreference({ lowPower: on });
          // A run, or a tuned model that is not saved, lives on the current device.
          if (!busy) reopenDevice();
        }}
      />
      {busy && <p className="note">Takes effect the next time you open the page.</p>}
    </div>
  );
}
