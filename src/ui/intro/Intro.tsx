// The first sight: what LISA does in two sentences, three periods of a small stack, and what it saves on the chosen model. Who knows it
// hides it; the browser remembers that.

import { useState } from 'react';
import { recall, remember } from '../../store/remembered';
import { startTour } from '../../store/tour';
import { formatBytes } from '../format';
import { useForecaster } from '../preview/forecasts';
import type { Setup } from '../setup-state';
import { Periods } from './Periods';
import '../styles/intro.css';

const HIDDEN = 'intro-hidden';

export function Intro({ setup }: { readonly setup: Setup }) {
  const [hidden, setHidden] = useState(() => recall(HIDDEN, (value) => value === true || undefined) ?? false);
  const toggle = (): void => {
    remember(HIDDEN, hidden ? undefined : true);
    setHidden(!hidden);
  };
  if (hidden) {
    return (
      <p className="intro-closed">
        <button type="button" className="link" onClick={toggle}>
          What is LISA?
        </button>
      </p>
    );
  }
  return (
    <section className="intro" aria-label="What LISA does">
      <div className="intro-words">
        <p>
          <abbr title="Layerwise Importance Sampled AdamW">LISA</abbr> (Layerwise Importance Sampled AdamW) fine-tunes a language model by
          training <strong>a few randomly chosen layers</strong> at a time, and switches to others every few steps. In the end every layer
          has learned, but only a few needed gradients and optimizer memory at once.
        </p>
        <Need setup={setup} />
        <button type="button" className="link" onClick={startTour}>
          Take the tour in five steps
        </button>
      </div>
      <Periods />
      <button type="button" className="intro-hide" aria-label="Hide this introduction" onClick={toggle}>
        <span aria-hidden="true">×</span>
      </button>
    </section>
  );
}

/** The one number: what this model needs with LISA and in full. */
function Need({ setup: { model, config, faults } }: { readonly setup: Setup }) {
  const forecaster = useForecaster((state) => state.forecaster);
  const of = (method: 'lisa' | 'full'): number | null =>
    forecaster && model && faults.length === 0 ? (forecaster.memory(model, config, method)?.forecast?.total ?? null) : null;
  const [lisa, full] = [of('lisa'), of('full')];
  if (!model) return <p className="intro-need">Choose a model to see what it needs with LISA and in full.</p>;
  return (
    <p className="intro-need">
      <strong>{lisa === null ? '–' : formatBytes(lisa)}</strong> with LISA, <strong>{full === null ? '–' : formatBytes(full)}</strong> in
      full: GPU memory for {config.model} (forecast)
    </p>
  );
}
