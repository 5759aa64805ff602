// Entry of the page.

import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { loadTheme } from '../store/theme';
import { connectTrainer } from '../store/trainer';
import { App } from './App';
import './styles/tokens.css';
import './styles/base.css';
import './styles/layout.css';
import './styles/controls.css';
import './styles/charts.css';

const root = document.getElementById('root');
if (root) {
  loadTheme();
  connectTrainer();
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
