// The browser's own modal dialog: it keeps the focus inside, closes on Escape, and gives the focus back.

import { useEffect, useId, useRef, type ReactNode } from 'react';

interface DialogProps {
  readonly title: string;
  /** Called on Escape too. */
  readonly onClose: () => void;
  readonly children: ReactNode;
}

/** It is open as long as it is rendered. */
export function Dialog({ title, onClose, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      className="dialog"
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      // The dialog element has no area besides its box, so a click on the element itself is a click on the backdrop.
      onClick={({ target, currentTarget }) => target === currentTarget && onClose()}
    >
      <div className="dialog-box">
        <h2 id={id}>{title}</h2>
        {children}
      </div>
    </dialog>
  );
}
