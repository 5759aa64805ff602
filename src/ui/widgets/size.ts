// The width of an element, now and as it changes.

import { useCallback, useState, type RefCallback } from 'react';

/** A ref for the element (of class "measures"), and its width in CSS pixels; 0 while there is none. */
export function useWidth<T extends HTMLElement>(): readonly [RefCallback<T>, number] {
  const [width, setWidth] = useState(0);
  const ref = useCallback((element: T) => {
    const read = (): void => setWidth(element.clientWidth);
    read();
    const observer = new ResizeObserver(read);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [ref, width];
}
