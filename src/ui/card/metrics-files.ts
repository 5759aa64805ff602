// The numbers of a run as files: JSON lines with the fields of the command line's metrics.jsonl, and a table. Pure.

import type { RunMetrics } from '../../store/run/metrics';
import type { EvalPoint } from '../../store/run/run';
import type { MemoryTotals } from '../../dispatch/memory';

interface MetricsLine {
  readonly step: number;
  readonly loss: number;
  readonly lr: number;
  readonly gradNorm: number;
  readonly tokens: number;
  readonly activeLayers: readonly number[];
  readonly stepMs: number;
  readonly memory: MemoryTotals;
}

/** layers: the model's number of layers; a method that does not sample trains all of them. */
function* linesOf(metrics: RunMetrics, layers: number): Generator<MetricsLine> {
  const { step, loss, lr, gradNorm, tokens, stepMs, periods, memoryChanges } = metrics;
  const every = Array.from({ length: layers }, (_, layer) => layer);
  let period = 0;
  let change = 0;
  for (let i = 0; i < step.length; i++) {
    const at = step.at(i);
    while (period < periods.length - 1 && periods[period].lastStep < at) period++;
    while (change < memoryChanges.length - 1 && memoryChanges[change + 1].step <= at) change++;
    yield {
      step: at,
      loss: loss.at(i),
      lr: lr.at(i),
      gradNorm: gradNorm.at(i),
      tokens: tokens.at(i),
      activeLayers: metrics.periodSteps === null ? every : periods[period].layers,
      stepMs: stepMs.at(i),
      memory: memoryChanges[change].bytes,
    };
  }
}

/** One line per step. What is not a finite number becomes null. */
export function metricsJsonl(metrics: RunMetrics, layers: number): string {
  let text = '';
  for (const line of linesOf(metrics, layers)) text += `${JSON.stringify(line)}\n`;
  return text;
}

const MEMORY = [
  'weights',
  'masters',
  'gradients',
  'optimizer',
  'activations',
  'workspace',
  'inputs',
  'cache',
  'staging',
  'total',
] as const satisfies readonly (keyof MemoryTotals)[];

/** RFC 4180, with a header. Each held-out loss is in the row of the step after which it was measured; the first is at step 0. */
export function metricsCsv(metrics: RunMetrics, layers: number, evals: readonly EvalPoint[]): string {
  const columns = ['step', 'loss', 'lr', 'gradNorm', 'tokens', 'activeLayers', 'stepMs', ...MEMORY.map((name) => `memory.${name}`)];
  const rows = [[...columns, 'evalLoss'].join(',')];
  const measured = new Map(evals.map((point) => [point.step, point.loss]));
  const cell = (value: number | undefined): string => (value !== undefined && Number.isFinite(value) ? String(value) : '');
  const start = measured.get(0);
  if (start !== undefined) rows.push(['0', ...Array<string>(columns.length - 1).fill(''), cell(start)].join(','));
  for (const line of linesOf(metrics, layers)) {
    const { step, loss, lr, gradNorm, tokens, activeLayers, stepMs, memory } = line;
    const figures = [step, loss, lr, gradNorm, tokens].map(cell);
    const bytes = MEMORY.map((name) => cell(memory[name]));
    rows.push([...figures, activeLayers.join(' '), cell(stepMs), ...bytes, cell(measured.get(step))].join(','));
  }
  return `${rows.join('\r\n')}\r\n`;
}
