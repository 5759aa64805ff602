// Plots of a study as SVG, for documents: held-out losses by way to draw, and norms by layer. Pure.

import { mean } from '../../base/statistics';
import { meanNorms } from '../../lisa/profile';
import { runsOf, STUDY_DRAWS, type Study } from './study-file';
import { frame, text, WIDTH } from './svg';

const LEFT = 170;
const RIGHT = 24;
const ROW = 34;
const TOP = 44;

/** A dot for each seed, a line at the mean. */
export function lossPlot(study: Study): string {
  const rows = STUDY_DRAWS.map((draw) => ({ draw, losses: runsOf(study, draw).map(({ after }) => after) }));
  const all = rows.flatMap(({ losses }) => losses);
  const [least, most] = [Math.min(...all), Math.max(...all)];
  const margin = Math.max(1e-4, (most - least) * 0.1);
  const x = (loss: number): number => LEFT + ((loss - least + margin) / (most - least + 2 * margin)) * (WIDTH - LEFT - RIGHT);
  const bottom = TOP + ROW * rows.length;
  const ticks = Array.from({ length: 5 }, (_, i) => least + ((most - least) * i) / 4);
  return frame(bottom + 44, 'Held-out loss after training: a dot for each seed, a line at their mean', [
    ...ticks.map((tick) => `<line x1="${x(tick).toFixed(1)}" x2="${x(tick).toFixed(1)}" y1="${TOP}" y2="${bottom}" stroke="#ddd"/>`),
    ...ticks.map((tick) => text(x(tick), bottom + 18, tick.toFixed(4), 'text-anchor="middle" fill="#555"')),
    ...rows.flatMap(({ draw, losses }, at) => {
      const y = TOP + ROW * (at + 0.5);
      const label = text(LEFT - 12, y + 4, draw, 'text-anchor="end"');
      if (losses.length === 0) return [label, text(LEFT, y + 4, 'not run', 'fill="#777"')];
      const middle = x(mean(losses)).toFixed(1);
      return [
        label,
        ...losses.map((loss) => `<circle cx="${x(loss).toFixed(1)}" cy="${y}" r="4.5" fill="#2a6fb0" fill-opacity="0.6"/>`),
        `<line x1="${middle}" x2="${middle}" y1="${y - 11}" y2="${y + 11}" stroke="#b3411e" stroke-width="2.5"/>`,
      ];
    }),
    text(LEFT, bottom + 36, 'nats a target; lower is better', 'fill="#555"'),
  ]);
}

/** Mean norms of LoRA's updates and of the weights by layer, on a log axis, and p_l beside them. */
export function profilePlot({ profile }: Study): string {
  if (!profile) return frame(60, 'Norms by layer: not measured', []);
  const { lora, weights } = meanNorms(profile.norms);
  const all = [...lora, ...weights].filter((norm) => norm > 0).map(Math.log10);
  const [least, most] = [Math.floor(Math.min(...all)), Math.ceil(Math.max(...all))];
  const end = WIDTH - 130;
  const x = (norm: number): number => LEFT + ((Math.log10(norm) - least) / (most - least)) * (end - LEFT);
  const bottom = TOP + ROW * lora.length;
  const decades = Array.from({ length: most - least + 1 }, (_, i) => 10 ** (least + i));
  const under = profile.norms.full ? '‖W‖ under full training' : '‖W₀‖ of the base';
  return frame(bottom + 62, `Mean norms by layer over ${profile.norms.steps.length} steps, log axis`, [
    ...decades.map((tick) => `<line x1="${x(tick).toFixed(1)}" x2="${x(tick).toFixed(1)}" y1="${TOP}" y2="${bottom}" stroke="#ddd"/>`),
    ...decades.map((tick) => text(x(tick), bottom + 18, String(tick), 'text-anchor="middle" fill="#555"')),
    text(end + 20, TOP - 4, 'p', 'fill="#555"'),
    ...lora.flatMap((norm, layer) => {
      const y = TOP + ROW * (layer + 0.5);
      return [
        text(LEFT - 12, y + 4, `layer ${layer}`, 'text-anchor="end"'),
        ...(norm > 0 ? [`<circle cx="${x(norm).toFixed(1)}" cy="${y}" r="5" fill="#b3411e"/>`] : []),
        `<rect x="${(x(weights[layer]) - 5).toFixed(1)}" y="${y - 5}" width="10" height="10" fill="#2a6fb0"/>`,
        text(end + 20, y + 4, profile.weights[layer].toFixed(4)),
      ];
    }),
    `<circle cx="${LEFT + 5}" cy="${bottom + 42}" r="5" fill="#b3411e"/>`,
    text(LEFT + 16, bottom + 46, '‖(α/r)BA‖ of LoRA'),
    `<rect x="${LEFT + 190}" y="${bottom + 37}" width="10" height="10" fill="#2a6fb0"/>`,
    text(LEFT + 206, bottom + 46, under),
  ]);
}
