// Leads from the data panel to the preview beside it.

export const DATA_PREVIEW_ID = 'data-preview';

/** Opens the preview, brings it into view, and moves the keyboard there. */
export function showPreview(): void {
  const panel = document.getElementById(DATA_PREVIEW_ID);
  if (!(panel instanceof HTMLDetailsElement)) return;
  panel.open = true;
  panel.scrollIntoView({ block: 'start' });
  panel.querySelector('summary')?.focus({ preventScroll: true });
}
