// A sample of a run's line as the overlay draws it.

import { DASHES, MARKERS } from './overlay-model';

export function Swatch({ style }: { readonly style: number }) {
  return (
    <svg className="series overlay-swatch" data-style={style} width={34} height={12} aria-hidden="true">
      <path d="M0 6H34" strokeDasharray={DASHES[style]} />
      <path className="mark" d={MARKERS[style]} transform="translate(17 6)" />
    </svg>
  );
}
