// A slider over a list of sensible values. The number field beside it takes any value. A value between two stops is shown at
// the nearer stop, and keeps its value until the slider is moved.

import { nearestStop } from './stops';

interface SliderProps {
  readonly label: string;
  /** Ascending, at least one. */
  readonly stops: readonly number[];
  readonly value: number;
  /** The value for screen readers: '4 GB'. */
  readonly text: (value: number) => string;
  readonly onChange: (value: number) => void;
}

export function Slider({ label, stops, value, text, onChange }: SliderProps) {
  const at = nearestStop(stops, value);
  return (
    <input
      type="range"
      className="slider"
      aria-label={`${label}, slider`}
      aria-valuetext={text(stops[at])}
      min={0}
      max={stops.length - 1}
      step={1}
      value={at}
      disabled={stops.length < 2}
      onChange={({ target }) => onChange(stops[Number(target.value)])}
    />
  );
}
