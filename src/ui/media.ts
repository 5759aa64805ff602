// Media queries for what differs in more than its style: the order of the page, which reading and the keyboard follow.

import { useSyncExternalStore } from 'react';

/** Where the form has a column of its own (layout.css). */
const WIDE = '(min-width: 1100px)';

export const useWide = (): boolean =>
  useSyncExternalStore(
    (changed) => {
      const query = matchMedia(WIDE);
      query.addEventListener('change', changed);
      return () => query.removeEventListener('change', changed);
    },
    () => matchMedia(WIDE).matches,
  );
