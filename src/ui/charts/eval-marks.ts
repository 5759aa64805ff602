// Which evaluations get a ring and which a label, so that a run with thousands of them stays readable. Pure.

export interface Mark {
  readonly x: number;
  readonly y: number;
  readonly loss: number;
}

/** Pixels between rings, and between labels. */
const RING_GAP = 5;
const LABEL_GAP = 46;

export interface EvalMarks {
  readonly points: readonly Mark[];
  readonly labels: readonly Mark[];
  readonly radius: number;
}

/** marks: ascending in x. The last always has a ring and a label. */
export function evalMarks(marks: readonly Mark[], width: number): EvalMarks {
  const points = spaced(marks, RING_GAP);
  const crowded = points.length * 14 > width;
  if (!crowded) return { points, labels: spaced(points, LABEL_GAP), radius: 4 };
  // If there are many rings, they are small, and only the first and the last have figures.
  const ends = [points[0], points[points.length - 1]];
  return { points, labels: spaced(ends, LABEL_GAP), radius: 2 };
}

/** The marks, from the last to the first, that keep their distance from the next one. */
function spaced(marks: readonly Mark[], gap: number): Mark[] {
  const kept: Mark[] = [];
  for (let i = marks.length - 1; i >= 0; i--) {
    const next = kept.at(-1);
    if (!next || next.x - marks[i].x >= gap) kept.push(marks[i]);
  }
  return kept.reverse();
}
