// A study of importance as Markdown: a row for each way to draw, and what the figures allow to say. Pure.

import { errorOfDifference, mean, spread } from '../../base/statistics';
import { runsOf, STUDY_DRAWS, type Study, type StudyDraw } from './study-file';

export function studyTable(study: Study): string {
  const rows = STUDY_DRAWS.map((draw) => {
    const runs = runsOf(study, draw);
    if (runs.length === 0) return `| ${draw} | not run | | | |`;
    const after = runs.map((run) => run.after);
    const counts = runs[0].counts.map((_, layer) => mean(runs.map((run) => run.counts[layer])));
    const cells = [
      draw,
      mean(after).toFixed(4),
      Number.isNaN(spread(after)) ? 'one seed' : spread(after).toFixed(4),
      after.map((loss) => loss.toFixed(4)).join(' '),
      counts.map((count) => count.toFixed(1)).join(' '),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return [
    `Device: ${study.device ?? 'none yet'}. ${study.date}. Options: ${study.options.join(' ') || 'none'}.`,
    '',
    '| layers drawn by | held-out loss after, mean | standard deviation of seeds | seeds | periods in which layer 0, 1, … trained, mean |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
    '',
    verdict(study),
  ].join('\n');
}

/** Whether a difference of means is larger than seeds differ: two standard errors of the difference. */
export function verdict(study: Study): string {
  const [rule, inverted] = (['LoRA norms', 'inverted LoRA norms'] satisfies StudyDraw[]).map((draw) =>
    runsOf(study, draw).map(({ after }) => after),
  );
  if (rule.length < 2 || inverted.length < 2) return 'Too few seeds to compare importance with its inverse.';
  const difference = mean(inverted) - mean(rule);
  const error = errorOfDifference(rule, inverted);
  const told = `${Math.abs(difference).toFixed(4)} (two standard errors: ${(2 * error).toFixed(4)})`;
  if (Math.abs(difference) <= 2 * error) return `Inverted importance does as well as importance here: the means differ by ${told}.`;
  return difference > 0
    ? `Importance does better than its inverse here, by ${told}.`
    : `Inverted importance does better than importance here, by ${told}.`;
}
