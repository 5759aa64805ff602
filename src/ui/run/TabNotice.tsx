// What happened while nobody looked, until it is dismissed.

import { dismissTabNotice, useTabNotice } from './tab-watch';

export function TabNotice() {
  const { sentences } = useTabNotice();
  if (sentences.length === 0) return null;
  return (
    <section className="card notice" role="status" aria-label="While this tab was hidden" data-notice="tab">
      {sentences.map((sentence) => (
        <p key={sentence}>{sentence}</p>
      ))}
      <button type="button" className="button quiet" onClick={dismissTabNotice}>
        Dismiss
      </button>
    </section>
  );
}
