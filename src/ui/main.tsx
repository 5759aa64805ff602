// Entry of the page.

import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { watchOffline } from '../store/offline';
import { startStores } from '../store/start';
import { App } from './App';
import { startForecasts } from './preview/forecasts';
import './styles/tokens.css';
import './styles/base.css';
import './styles/layout.css';
import './styles/controls.css';
import './styles/fields.css';
import './styles/bars.css';
import './styles/charts.css';

const root = document.getElementById('root');
if (root) {
  startStores();
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
  // After the first paint, because what these load is large and nothing can be clicked on it.
  requestAnimationFrame(() => {
    startForecasts();
    void watchOffline();
  });
}
