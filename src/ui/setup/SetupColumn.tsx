// The settings of the next run, top to bottom: model, data, method, training; in the advanced set-up the rest as well.

import { useSetupMode } from '../../store/setup/setup-mode';
import type { Setup } from '../setup-state';
import '../styles/setup.css';
import { AdvancedPanels } from './AdvancedPanels';
import { DataPanel } from './DataPanel';
import { LinkNotice } from './LinkNotice';
import { MethodPanel } from './MethodPanel';
import { ModelPanel } from './ModelPanel';
import { ModeBar } from './ModeBar';
import { SettingsFile } from './SettingsFile';
import { TrainingPanel } from './TrainingPanel';

export function SetupColumn({ setup }: { readonly setup: Setup }) {
  const mode = useSetupMode((state) => state.mode);
  const advanced = mode === 'advanced';
  return (
    <form className="setup" aria-label="Settings of the run" onSubmit={(event) => event.preventDefault()}>
      <ModeBar config={setup.config} mode={mode} />
      <LinkNotice />
      <ModelPanel setup={setup} />
      <DataPanel />
      <MethodPanel setup={setup} />
      <TrainingPanel setup={setup} advanced={advanced} />
      {advanced && <AdvancedPanels setup={setup} />}
      <SettingsFile />
    </form>
  );
}
