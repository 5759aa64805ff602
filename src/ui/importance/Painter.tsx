// Layers weighted by hand: a bar for each, the highest on top as in the stack. A pointer paints over as many as it crosses; with the
// keyboard each is a slider.

import { useRef, type PointerEvent } from 'react';
import { changed, MOST_WEIGHT, rowAt, valueAt } from './painting';

interface PainterProps {
  /** By layer, 0 to MOST_WEIGHT. */
  readonly weights: readonly number[];
  readonly onPaint: (weights: readonly number[]) => void;
}

export function Painter({ weights, onPaint }: PainterProps) {
  const list = useRef<HTMLOListElement>(null);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const set = (layer: number, weight: number): void => {
    const next = changed(weights, layer, weight);
    if (next) onPaint(next);
  };
  const paint = (event: PointerEvent): void => {
    const first = list.current?.querySelector('input');
    if (event.buttons !== 1 || !list.current || !first) return;
    const box = list.current.getBoundingClientRect();
    const bar = first.getBoundingClientRect();
    const layer = weights.length - 1 - rowAt(event.clientY - box.top, box.height, weights.length);
    set(layer, valueAt(event.clientX - bar.left, bar.width));
    if (event.type === 'pointerdown') {
      list.current.setPointerCapture(event.pointerId);
      list.current.querySelector<HTMLElement>(`[data-layer="${layer}"]`)?.focus({ preventScroll: true });
      event.preventDefault();
    }
  };
  return (
    <ol className="painter" ref={list} aria-label="Weights of the layers, the highest first" onPointerDown={paint} onPointerMove={paint}>
      {[...weights.keys()].reverse().map((layer) => (
        <li key={layer}>
          <label htmlFor={`paint-${layer}`}>{layer}</label>
          <input
            id={`paint-${layer}`}
            data-layer={layer}
            type="range"
            aria-label={`Weight of layer ${layer}`}
            min={0}
            max={MOST_WEIGHT}
            step={1}
            value={weights[layer]}
            onChange={({ target }) => set(layer, Number(target.value))}
          />
          <span className="painter-share">{sum > 0 ? (weights[layer] / sum).toFixed(3) : '–'}</span>
        </li>
      ))}
    </ol>
  );
}
