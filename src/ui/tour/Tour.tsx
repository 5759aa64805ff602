// The guided tour: a card at the edge of the window, and an outline around what it speaks of. The page stays usable beside it, and
// Escape ends it.

import { useEffect, useRef } from 'react';
import { endTour, showTourStep, TOUR_STEPS, type TourStep } from '../../store/tour';
import '../styles/tour.css';
import { STOPS } from './tour-steps';

export default function Tour({ step }: { readonly step: TourStep }) {
  const at = TOUR_STEPS.indexOf(step);
  const { title, text, targets } = STOPS[step];
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    const target = targets.map((selector) => document.querySelector(selector)).find((found) => found !== null);
    target?.setAttribute('data-toured', '');
    // What is longer than the window is shown from its beginning.
    target?.scrollIntoView({ block: target.clientHeight > innerHeight / 2 ? 'start' : 'center' });
    // So that screen readers read the step, and the keyboard is at its buttons.
    heading.current?.focus({ preventScroll: true });
    return () => target?.removeAttribute('data-toured');
  }, [targets]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      // An open dialog or note takes Escape for itself.
      if (event.key !== 'Escape' || document.querySelector('dialog[open], :popover-open')) return;
      endTour();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
  const last = at === TOUR_STEPS.length - 1;
  return (
    <section className="tour" aria-label="Guided tour">
      <p className="note">
        Step {at + 1} of {TOUR_STEPS.length}
      </p>
      <h2 ref={heading} tabIndex={-1}>
        {title}
      </h2>
      <p>{text}</p>
      <div className="buttons">
        <button type="button" className="button primary" onClick={() => (last ? endTour() : showTourStep(TOUR_STEPS[at + 1]))}>
          {last ? 'Done' : 'Next'}
        </button>
        {at > 0 && (
          <button type="button" className="button" onClick={() => showTourStep(TOUR_STEPS[at - 1])}>
            Back
          </button>
        )}
        {!last && (
          <button type="button" className="button quiet" onClick={endTour}>
            Skip the tour
          </button>
        )}
      </div>
    </section>
  );
}
