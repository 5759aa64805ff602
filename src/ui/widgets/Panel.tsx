// A titled section of the page, separated from the next by a rule.

import { useId, type ReactNode } from 'react';
import { Why } from './Why';

interface PanelProps {
  readonly id?: string;
  readonly title: string;
  /** One sentence under the title. */
  readonly hint?: string;
  /** More, for those who ask. */
  readonly why?: string;
  /** Beside the title: a legend, a total. */
  readonly aside?: ReactNode;
  readonly className?: string;
  readonly children: ReactNode;
}

export function Panel({ id: own, title, hint, why, aside, className, children }: PanelProps) {
  const id = useId();
  return (
    <section id={own} className={className ? `panel ${className}` : 'panel'} aria-labelledby={id}>
      <header className="panel-head">
        <span className="panel-title">
          <h2 id={id}>{title}</h2>
          {why && <Why of={title}>{why}</Why>}
        </span>
        {aside}
      </header>
      {hint && <p className="note panel-hint">{hint}</p>}
      {children}
    </section>
  );
}
