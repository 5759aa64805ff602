// Entry of the page.

import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { loadBudget } from '../store/budget';
import { connectCompare } from '../store/compare';
import { connectHistory } from '../store/history';
import { connectHub } from '../store/hub';
import { connectHubChoice } from '../store/hub-choice';
import { watchData } from '../store/inspect';
import { connectLocalModel } from '../store/local-model';
import { loadSetupMode } from '../store/setup-mode';
import { watchSpeed } from '../store/speed';
import { watchLog } from '../store/log';
import { watchPower } from '../store/power';
import { loadTheme } from '../store/theme';
import { connectTrainer } from '../store/trainer';
import { followAddress } from '../store/url';
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
  // After the first paint: it is large, and nothing is clicked on it.
  requestAnimationFrame(() => void loadForecaster());
}
