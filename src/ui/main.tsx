// Entry of the page.

import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { loadBudget } from '../store/setup/budget';
import { connectCompare } from '../store/run/compare';
import { connectHistory } from '../store/history/history';
import { connectHub } from '../store/setup/hub';
import { connectHubChoice } from '../store/setup/hub-choice';
import { watchData } from '../store/setup/inspect';
import { connectLocalModel } from '../store/setup/local-model';
import { loadSetupMode } from '../store/setup/setup-mode';
import { watchSpeed } from '../store/run/speed';
import { watchLog } from '../store/run/log';
import { watchPower } from '../store/run/power';
import { loadTheme } from '../store/theme';
import { connectTrainer } from '../store/run/trainer';
import { followAddress } from '../store/setup/url';
import { App } from './App';
import { loadForecaster } from './preview/forecasts';
import './styles/tokens.css';
import './styles/base.css';
import './styles/layout.css';
import './styles/controls.css';
import './styles/bars.css';
import './styles/charts.css';

const root = document.getElementById('root');
if (root) {
  loadTheme();
  loadSetupMode();
  loadBudget();
  followAddress();
  watchSpeed();
  watchPower();
  watchLog();
  connectTrainer();
  connectHistory();
  connectCompare();
  connectLocalModel();
  connectHub();
  connectHubChoice();
  watchData();
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
  // Loaded after the first paint, because it is large and nothing can be clicked on it.
  requestAnimationFrame(() => void loadForecaster());
}
