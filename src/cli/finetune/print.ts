// What the terminal shows: progress, the memory table, samples. Formatting only.

import { describeRows } from '../../config/policies';
import { oneLine } from '../terminal';
import { SOURCE_WORDS } from '../../config/importance';
import type { ImportanceReport, Prepared, Rounding, RunEvent, RunReport, Sample } from '../../train/events';
import { type MemoryTotals, MEMORY_CATEGORIES } from '../../dispatch/memory';
import { withTotal } from '../../dispatch/memory';
import { endingText } from '../../data/tokenize/ending';
import type { ProofLine } from '../../train/prove';
import type { SavingBreakdown } from '../../plan/saving';
import type { SurvivalReport } from '../../export/folder';
import type { BernoulliReport } from '../../lisa/schedule';

export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(bytes < 1e5 ? 3 : 2)} MB`;

export const duration = (seconds: number): string =>
  seconds < 90 ? `${seconds.toFixed(0)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;

function describePrepared(prepared: Prepared): string {
  const { data, device, rows, shape } = prepared;
  const lines = [
    `model    ${oneLine(prepared.modelName)}: ${prepared.parameters.toLocaleString('en')} parameters, ${shape.layers} layers; ${prepared.trainable.toLocaleString('en')} trained per step`,
    `data     ${oneLine(data.name)}: ${data.rows} rows, ${data.targets.toLocaleString('en')} of ${data.tokens.toLocaleString('en')} tokens count toward the loss; ${data.evalRows} rows held out`,
    `device   ${device.description}${device.software ? ' (software: correct, but slow)' : ''}`,
  ];
  if (rows) lines.splice(1, 0, `rows     ${describeRows(rows.trained, rows.all)}`);
  if (prepared.importance) lines.push(`layers   ${describeImportance(prepared.importance)}`);
  const { keptWider = [] } = prepared;
  if (keptWider.length > 0) lines.push(`weights  in f32, since their rows are not whole groups of 32: ${keptWider.join(', ')}`);
  const ending = endingText(data.ending);
  if (ending !== null) lines.push(`         ${ending}`);
  const unread = Object.entries(data.unread);
  if (unread.length > 0) lines.push(`         not read: ${unread.map(([key, rows]) => `${key} (${rows} rows)`).join(', ')}`);
  const notes = [
    data.truncated > 0 ? `${data.truncated} rows cut to the row length` : '',
    data.dropped > 0 ? `${data.dropped} rows without a target left out` : '',
    data.perAnswer > 0 ? `${data.perAnswer} rows became one sample per answer, because the chat template rewrites earlier turns` : '',
    data.badRows > 0 ? `${data.badRows} malformed rows skipped` : '',
  ].filter((note) => note !== '');
  if (notes.length > 0) lines.push(`         ${notes.join('; ')}`);
  return lines.join('\n');
}

/** By what layers are drawn, and which of them always. */
function describeImportance({ source, steps, weights, certain }: ImportanceReport): string {
  const from = source === 'painted' ? 'by the weights given' : `by ${SOURCE_WORDS[source]} over ${steps} steps`;
  const always =
    certain.length > 0
      ? `; ${certain.length === 1 ? 'layer' : 'layers'} ${certain.join(', ')} in every period, since γ·p is 1 or more there: the excess goes to the others`
      : '';
  return `drawn ${from}: p = ${weights.map((p) => p.toFixed(3)).join(' ')}${always}`;
}

/** One column per method: the one that ran measured (peak of the ledger), the others forecast. */
export function memoryTable(report: RunReport, prepared: Prepared): string {
  const forecasts = prepared.forecasts;
  const columns: [string, MemoryTotals][] = [[`${report.method} measured`, report.memory.peak]];
  for (const method of ['lisa', 'lora', 'full'] as const) {
    columns.push([`${method} forecast`, withTotal(forecasts[method].bytes)]);
  }
  const head = ['memory'.padEnd(14), ...columns.map(([name]) => name.padStart(15))].join(' ');
  const row = (name: keyof MemoryTotals): string =>
    [name.padEnd(14), ...columns.map(([, bytes]) => megabytes(bytes[name]).padStart(15))].join(' ');
  const used = MEMORY_CATEGORIES.filter((name) => columns.some(([, bytes]) => bytes[name] > 0));
  const saved = 1 - report.memory.peak.total / report.memory.fullForecast.total;
  const receipt =
    report.method === 'full'
      ? `Peak ${megabytes(report.memory.peak.total)} measured.`
      : `Peak ${megabytes(report.memory.peak.total)} measured; full fine-tuning would need ${megabytes(report.memory.fullForecast.total)} (forecast): ${(100 * saved).toFixed(1)} % less.`;
  return [head, ...used.map(row), row('total'), receipt].join('\n');
}

/** What LISA's saving against full fine-tuning consists of. */
export function describeSaving({ full, lisa, sampling, alwaysOn, precision }: SavingBreakdown): string {
  const stored =
    precision === 0
      ? 'none from precision or recomputation, which are the same in both runs'
      : `${megabytes(precision)} from storing what does not train in fewer bits; none from recomputation`;
  return `The forecast saves ${megabytes(full - lisa)}: ${megabytes(sampling)} come from training few layers at a time, ${megabytes(alwaysOn)} from freezing embedding, head or norm, and ${stored}.`;
}

/** How often a sampler that tosses coins drew no layer, or more layers than there are slots. */
export function describeBernoulli({ redrawn, cappedPeriods, dropped, emptyPeriods }: BernoulliReport, periods: number): string {
  const capped = `${cappedPeriods} of ${periods} periods drew more layers than there are slots and left out ${dropped}`;
  return emptyPeriods === undefined
    ? `Bernoulli drew no layer ${redrawn} times and drew again; ${capped}.`
    : `Algorithm 1 drew no layer in ${emptyPeriods} of ${periods} periods; ${capped}.`;
}

/** How much of the training survives in an export of half the size. */
export function describeRounding({ dtype, survived, changed, share }: SurvivalReport): string {
  return `rounded to ${dtype}: ${survived} of ${changed} changed weights survive${share === null ? '' : ` (${(100 * share).toFixed(2)} %)`}`;
}

const describeSample = ({ when, step, prompt, text, leftOut = 0 }: Sample): string => {
  const note = leftOut > 0 ? `\n(its first ${leftOut} tokens are left out: too long for --seq-len and the sample together)` : '';
  return `\n[${when === 'during' ? `step ${step}` : when}] ${prompt}${note}\n${text}\n`;
};

const describeProof = ({ step, frozen, changed }: Extract<RunEvent, { type: 'verified' }>): string =>
  changed.length > 0
    ? `after step ${step}: CHANGED although frozen: ${changed.join(', ')}`
    : `after step ${step}: ${frozen.length} frozen blocks are unchanged, bit for bit (${frozen.join(', ')})`;

/** What was shown, and what was not. */
export const describeProofLines = (lines: readonly ProofLine[]): string =>
  lines.map(({ claim, holds, figures }) => `${holds ? 'holds' : 'DOES NOT HOLD'}: ${claim}.\n       ${figures}`).join('\n');

/** The cost of rounding the last layers; the others were rounded when they left. */
export function describeRoundingBack({ layers, before, after }: Rounding): string {
  const which = `layers ${layers.join(',')} stored as the weights that do not train`;
  return before === null || after === null ? which : `${which}: held-out loss ${before.toFixed(6)} before, ${after.toFixed(6)} after`;
}

/** Lines for a person; null for events that a person need not see. */
export function describeEvent(event: RunEvent, steps: number): string | null {
  switch (event.type) {
    case 'step': {
      const { step, loss, lr, gradNorm, tokens, activeLayers, activeBlocks = [], stepMs } = event.metrics;
      const every = Math.max(1, Math.round(steps / 50));
      if (step !== 1 && step % every !== 0 && step !== steps) return null;
      const numbered = activeLayers.length > 6 ? `${activeLayers.length} layers` : `layers ${activeLayers.join(',')}`;
      const layers = [...(activeLayers.length > 0 ? [numbered] : []), ...activeBlocks].join(' and ');
      const rate = (1000 * tokens) / stepMs;
      return `step ${String(step).padStart(String(steps).length)}/${steps}  loss ${loss.toFixed(4)}  lr ${lr.toExponential(2)}  norm ${gradNorm.toFixed(3)}  ${layers}  ${rate.toFixed(0)} tokens/s  ${duration(((steps - step) * stepMs) / 1000)} left`;
    }
    case 'eval':
      return `held-out loss after step ${event.step}${event.weights ? `, of the exported model in ${event.weights}` : ''}: ${event.loss.toFixed(4)} (${event.targets} tokens)`;
    case 'sample':
      return describeSample(event.sample);
    case 'rounded':
      return describeRoundingBack(event.rounding);
    case 'checkpoint':
      return `checkpoint at step ${event.step}`;
    case 'verified':
      return describeProof(event);
    case 'prepared':
      return describePrepared(event.prepared);
    case 'phase':
      return event.detail ?? null;
    default:
      return null;
  }
}
