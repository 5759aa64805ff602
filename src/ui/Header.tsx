// Name, the screens, the GPU that will do the work, and the theme.

import { lazy, Suspense, useState, type ReactNode } from 'react';
import { useDeviceStore, type DeviceState } from '../store/run/device';
import { setTheme, THEMES, useThemeStore, type Theme } from '../store/theme';
import { TITLE } from './announce';
import { Segmented } from './widgets/fields';

// It is opened now and then.
const HardwareCard = lazy(() => import('./HardwareCard').then((part) => ({ default: part.HardwareCard })));

const THEME_NAMES: Readonly<Record<Theme, string>> = { system: 'System', light: 'Light', dark: 'Dark' };

/** One line about the GPU. Many browsers report only its maker and architecture. */
export function deviceLine(device: DeviceState): string {
  if (device.status === 'opening') return 'Opening the GPU…';
  if (device.status === 'unavailable') return 'No GPU';
  const { vendor, architecture, description, software } = device.device;
  const said: string[] = [];
  for (const part of [description, vendor, architecture]) {
    if (part && !said.join(' ').toLowerCase().includes(part.toLowerCase())) said.push(part);
  }
  return said.join(' ') + (software ? ' · software renderer: correct, but slow' : '');
}

/** `children`: the links to the other screens. */
export function Header({ children }: { readonly children?: ReactNode }) {
  const device = useDeviceStore((state) => state.device);
  const theme = useThemeStore((state) => state.theme);
  const [open, setOpen] = useState(false);
  const line = deviceLine(device);
  const ready = device.status === 'ready';
  return (
    <>
      <header className="page-head">
        <h1>{TITLE}</h1>
        {children}
        <div className="device" data-status={device.status} data-testid="device">
          <button
            type="button"
            className="device-button"
            disabled={!ready}
            aria-expanded={open && ready}
            aria-controls="hardware"
            onClick={() => setOpen(!open)}
          >
            <span className="device-dot" aria-hidden="true" />
            <span className="hidden">GPU: </span>
            <span className="device-text" title={line}>
              {line}
            </span>
          </button>
        </div>
        <Segmented
          legend="Theme"
          name="theme"
          value={theme}
          options={THEMES.map((name) => [name, THEME_NAMES[name]] as const)}
          onChange={setTheme}
        />
      </header>
      <section id="hardware" className="hardware-card" aria-label="Hardware" hidden={!open || !ready}>
        {open && ready && (
          <Suspense fallback={<p className="note">Loading…</p>}>
            <HardwareCard device={device} />
          </Suspense>
        )}
      </section>
    </>
  );
}
