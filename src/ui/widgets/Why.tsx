// The "why" of a setting, one click away: a small button that opens a note beside it. The note is the browser's
// popover: Escape or a tap elsewhere closes it, and nothing on the page moves.

import { useId, useRef, useState, type ReactNode } from 'react';

interface WhyProps {
  /** What it explains; this names the button. */
  readonly of: string;
  readonly children: ReactNode;
}

const WIDTH = 300;
const MARGIN = 12;

/** Places the note below the button, or above it in the lower part of the window, and never beyond the window's edges. */
function place(note: HTMLElement, button: HTMLElement): void {
  const { left, top, bottom } = button.getBoundingClientRect();
  const width = Math.min(WIDTH, innerWidth - 2 * MARGIN);
  const above = bottom > innerHeight * 0.6;
  note.style.width = `${width}px`;
  note.style.left = `${Math.max(MARGIN, Math.min(left - MARGIN, innerWidth - width - MARGIN))}px`;
  note.style.top = above ? 'auto' : `${bottom + 4}px`;
  note.style.bottom = above ? `${innerHeight - top + 4}px` : 'auto';
}

export function Why({ of, children }: WhyProps) {
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const note = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState(false);
  const [asked, setAsked] = useState(false);
  return (
    <>
      <button
        ref={button}
        type="button"
        className="why"
        aria-label={`Why: ${of}`}
        aria-expanded={open}
        aria-controls={id}
        popoverTarget={id}
      >
        <span aria-hidden="true">?</span>
      </button>
      <div
        ref={note}
        id={id}
        popover="auto"
        className="why-note"
        onBeforeToggle={({ newState }) => {
          if (newState !== 'open' || !button.current || !note.current) return;
          setAsked(true);
          place(note.current, button.current);
        }}
        onToggle={({ newState }) => setOpen(newState === 'open')}
      >
        {asked && children}
      </div>
    </>
  );
}
