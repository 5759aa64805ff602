// A slider over a list of sensible values. It stands beside a number field, which takes any value: a value between two
// stops shows at the nearer one and stays as it is until the slider is moved.

import { nearestStop } from './stops';

interface SliderProps {
  readonly label: string;
  /** Ascending, at least one. */
  readonly stops: readonly number[];
  readonly value: number;
  /** The value for the ear: '4 GB'. */
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
