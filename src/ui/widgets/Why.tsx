// The "why" of a setting, one tap, hover or focus away: a small button that opens a note beside it. The note is the browser's
// popover: Escape or a tap elsewhere closes it, and nothing on the page moves.

import { useEffect, useId, useRef, useState, type PointerEvent, type ReactNode } from 'react';

interface WhyProps {
  /** What it explains; this names the button. */
  readonly of: string;
  readonly children: ReactNode;
}

const WIDTH = 300;
const MARGIN = 12;
/** Time to move the pointer from the button into the note. */
const LEAVE_MS = 150;

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
  const leaving = useRef<ReturnType<typeof setTimeout>>(undefined);
  /** Hovering opens it and leaving closes it; a click keeps it open. */
  const [hovered, setHovered] = useState(false);
  const [open, setOpen] = useState(false);
  useEffect(() => () => clearTimeout(leaving.current), []);

  const enter = ({ pointerType }: PointerEvent): void => {
    clearTimeout(leaving.current);
    if (pointerType !== 'mouse' || open) return;
    setHovered(true);
    note.current?.showPopover();
  };
  const leave = (): void => {
    clearTimeout(leaving.current);
    if (hovered) leaving.current = setTimeout(() => note.current?.hidePopover(), LEAVE_MS);
  };
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
        popoverTargetAction={hovered ? 'show' : 'toggle'}
        onPointerEnter={enter}
        onPointerLeave={leave}
        onClick={() => setHovered(false)}
      >
        <span aria-hidden="true">?</span>
      </button>
      <div
        ref={note}
        id={id}
        popover="auto"
        className="why-note"
        onPointerEnter={() => clearTimeout(leaving.current)}
        onPointerLeave={leave}
        onBeforeToggle={({ newState }) => {
          if (newState === 'open' && button.current && note.current) place(note.current, button.current);
        }}
        onToggle={({ newState }) => {
          setOpen(newState === 'open');
          if (newState === 'closed') setHovered(false);
        }}
      >
        {children}
      </div>
    </>
  );
}
