// Plots of a grid as SVG, for documents: held-out loss by learning rate, and held-out loss against measured peak memory. Pure.

import { mean } from '../../base/statistics';
import { leverCell, methodCell, METHOD_NAMES } from './grid-cells';
import { bestOf, lossesOf, runsOf, type Grid } from './grid-file';
import { frame, text, WIDTH } from './svg';
import { LEVERS } from './variants';

const COLOURS = { lisa: '#b3411e', full: '#2a6fb0', lora: '#3d7d46' } as const;
const TITLES = { lisa: 'LISA', full: 'full', lora: 'LoRA' } as const;
const HEIGHT = 380;
const [LEFT, RIGHT, TOP, BOTTOM] = [64, 110, 44, 56];

interface Axis {
  readonly at: (value: number) => number;
  readonly ticks: readonly number[];
}

function axis(values: readonly number[], from: number, to: number): Axis {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const margin = Math.max(1e-6, (most - least) * 0.06);
  const at = (value: number): number => from + ((value - least + margin) / (most - least + 2 * margin)) * (to - from);
  return { at, ticks: Array.from({ length: 5 }, (_, i) => least + ((most - least) * i) / 4) };
}

const grid = (x: Axis, y: Axis, xText: (value: number) => string): string[] => [
  ...y.ticks.flatMap((tick) => [
    `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y.at(tick).toFixed(1)}" y2="${y.at(tick).toFixed(1)}" stroke="#ddd"/>`,
    text(LEFT - 8, y.at(tick) + 4, tick.toFixed(3), 'text-anchor="end" fill="#555"'),
  ]),
  ...x.ticks.map((tick) => text(x.at(tick), HEIGHT - BOTTOM + 20, xText(tick), 'text-anchor="middle" fill="#555"')),
];

/** Held-out loss of the first seed by learning rate, as a multiple of the method's default; a log axis. */
export function ratesPlot(study: Grid, seed: number): string {
  const lines = METHOD_NAMES.map((method) => ({
    method,
    points: Object.keys(study.runs)
      .flatMap((key) => new RegExp(`^methods: ${method}, rate × ([\\d.]+), seed ${seed}$`).exec(key)?.[1] ?? [])
      .map((factor) => ({ factor: Number(factor), loss: runsOf(study, methodCell(method, Number(factor)), [seed])[0].after }))
      .flatMap(({ factor, loss }) => (loss === null ? [] : [{ factor, loss }]))
      .sort((a, b) => a.factor - b.factor),
  })).filter(({ points }) => points.length > 0);
  if (lines.length === 0) return frame(60, 'Held-out loss by learning rate: not run', []);
  const all = lines.flatMap(({ points }) => points);
  const y = axis(
    all.map(({ loss }) => loss),
    HEIGHT - BOTTOM,
    TOP,
  );
  const logs = all.map(({ factor }) => Math.log2(factor));
  const x = { ...axis(logs, LEFT, WIDTH - RIGHT), ticks: [...new Set(logs)].sort((a, b) => a - b) };
  return frame(HEIGHT, `Held-out loss after training by learning rate, seed ${seed}`, [
    ...grid(x, y, (log) => `× ${2 ** log}`),
    ...lines.flatMap(({ method, points }) => {
      const places = points.map(({ factor, loss }) => [x.at(Math.log2(factor)), y.at(loss)] as const);
      const [lastX, lastY] = places.at(-1)!;
      return [
        `<polyline points="${places.map(([px, py]) => `${px.toFixed(1)},${py.toFixed(1)}`).join(' ')}" fill="none" stroke="${COLOURS[method]}" stroke-width="2"/>`,
        ...places.map(([px, py]) => `<circle cx="${px.toFixed(1)}" cy="${py.toFixed(1)}" r="4" fill="${COLOURS[method]}"/>`),
        text(lastX + 10, lastY + 4, TITLES[method], `fill="${COLOURS[method]}"`),
      ];
    }),
    text(LEFT, HEIGHT - 12, 'multiples of the method’s default rate; nats a target, lower is better', 'fill="#555"'),
  ]);
}

/** Mean held-out loss against measured peak memory: every method at its best rate, and LISA with each lever. */
export function frontierPlot(study: Grid, seeds: readonly number[]): string {
  const points = [
    ...METHOD_NAMES.map((method) => {
      const best = bestOf(study, (factor) => methodCell(method, factor), seeds[0]);
      return {
        name: TITLES[method],
        colour: COLOURS[method],
        runs: best === null ? [] : runsOf(study, methodCell(method, best), seeds),
      };
    }),
    ...LEVERS.slice(1).map(({ name }) => ({ name, colour: '#e09a7d', runs: runsOf(study, leverCell(name), seeds) })),
  ].flatMap(({ name, colour, runs }) => {
    const losses = lossesOf(runs);
    return losses.length === 0 ? [] : [{ name, colour, loss: mean(losses), peak: runs[0].peak / 1e6 }];
  });
  if (points.length === 0) return frame(60, 'Held-out loss against peak memory: not run', []);
  const y = axis(
    points.map(({ loss }) => loss),
    HEIGHT - BOTTOM,
    TOP,
  );
  const x = axis(
    points.map(({ peak }) => peak),
    LEFT,
    WIDTH - RIGHT,
  );
  return frame(HEIGHT, 'Held-out loss after training against measured peak memory', [
    ...grid(x, y, (peak) => `${peak.toFixed(0)} MB`),
    ...points.flatMap(({ name, colour, loss, peak }) => [
      `<circle cx="${x.at(peak).toFixed(1)}" cy="${y.at(loss).toFixed(1)}" r="5" fill="${colour}"/>`,
      text(x.at(peak) + 9, y.at(loss) + 4, name),
    ]),
    text(LEFT, HEIGHT - 12, 'mean over seeds, nats a target; lower and further left is better', 'fill="#555"'),
  ]);
}
