// One sentence that compares a run's measured memory with the forecast, with a button that copies it.

import { useEffect, useState } from 'react';

/** How long the button shows what it did. */
const TOLD_MS = 2000;

export function Receipt({ text }: { readonly text: string }) {
  const [copied, setCopied] = useState<'yes' | 'refused' | null>(null);
  useEffect(() => {
    if (copied === null) return;
    const timer = setTimeout(() => setCopied(null), TOLD_MS);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = (): void => {
    navigator.clipboard.writeText(text).then(
      () => setCopied('yes'),
      () => setCopied('refused'),
    );
  };
  return (
    <div className="receipt-line">
      <p className="receipt">{text}</p>
      <button type="button" className="button" onClick={copy} data-action="copyReceipt">
        <span aria-live="polite">{copied === null ? 'Copy' : copied === 'yes' ? 'Copied' : 'Select and copy'}</span>
      </button>
    </div>
  );
}
