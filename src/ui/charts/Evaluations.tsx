// Evaluations on the loss chart: a dotted line with a ring at each, and its value in figures if there is room.

import { memo, useMemo } from 'react';
import type { EvalPoint } from '../../store/run/run';
import { formatLoss } from '../format';
import type { ValueAxis } from './axis';
import { evalMarks } from './eval-marks';
import { dotsPath, pointsPath, yOf } from './path';

interface EvaluationsProps {
  readonly evals: readonly EvalPoint[];
  readonly steps: number;
  readonly inner: number;
  readonly height: number;
  readonly axis: ValueAxis;
}

export const Evaluations = memo(function Evaluations({ evals, steps, inner, height, axis }: EvaluationsProps) {
  const drawn = useMemo(() => {
    const y = yOf(axis, height);
    const inside = evals.filter(({ loss }) => loss >= axis.low && loss <= axis.high);
    const marks = evalMarks(
      inside.map(({ step, loss }) => ({ x: (step / steps) * inner, y: y(loss), loss })),
      inner,
    );
    const places = marks.points.map((point) => [point.x, point.y] as const);
    return { line: pointsPath(places), dots: dotsPath(places, marks.radius), labels: marks.labels };
  }, [evals, steps, inner, height, axis]);
  return (
    <g className="evaluations">
      <path className="eval-line" d={drawn.line} />
      <path className="eval-dots" d={drawn.dots} />
      {drawn.labels.map(({ x, y, loss }) => (
        // Near the upper edge the value goes below the point; it never goes beyond the sides.
        <text key={x} x={Math.max(14, Math.min(inner - 2, x))} y={y < 24 ? y + 18 : y - 9} textAnchor="middle">
          {formatLoss(loss)}
        </text>
      ))}
    </g>
  );
});
