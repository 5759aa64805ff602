// What went wrong, what is safe, what to do: one card for every error of the page.

import type { ReactNode } from 'react';
import type { ErrorInfo } from '../../base/errors';
import { familyOf, titleOf } from '../error-cards';

interface ErrorCardProps {
  readonly error: ErrorInfo;
  /** Sentences after the remedy. */
  readonly safe?: string;
  readonly advice?: string;
  /** Buttons. */
  readonly children?: ReactNode;
}

export function ErrorCard({ error, safe, advice, children }: ErrorCardProps) {
  return (
    <section className="card error-card" role="alert" data-error={error.code} data-family={familyOf(error.code)}>
      <h2>{titleOf(error)}</h2>
      <p>{error.detail}</p>
      {safe && <p>{safe}</p>}
      <p className="remedy">{advice ?? error.remedy}</p>
      {children && <div className="buttons">{children}</div>}
      <p className="code">{error.code}</p>
    </section>
  );
}
