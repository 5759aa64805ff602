// A run as one HTML file that needs nothing else: no script, no other file, no network. Measured numbers are exact to the last
// digit; forecasts are hatched and labelled. Pure.

import { describePolicies } from '../../config/policies';
import { configDiff, DEFAULTS, type ConfigKey } from '../../config/run-config';
import { groupBytes, MEMORY_GROUPS, type GroupBytes, type RunMetrics } from '../../store/run/metrics';
import type { RunPicture } from '../../store/run/picture';
import { exportedLoss, type Run } from '../../store/run/run';
import type { Prepared, RunReport } from '../../train/events';
import { SEGMENT_NAMES } from '../charts/bar-model';
import { formatBytes, formatCount, formatDuration, formatList, formatLoss } from '../format';
import { settingText } from '../history/setting-text';
import { LABELS, METHOD_NAMES } from '../labels';
import { measuredReceipt } from '../receipt';
import { lossSvg, rasterSvg } from './card-charts';
import { CARD_STYLE } from './card-style';
import { markup, type Markup } from './markup';

export interface CardTitle {
  readonly name: string;
  /** The start time of the run, as it is shown. */
  readonly date: string;
}

/** Null before the first step, when there is nothing to show. */
export function runCardHtml({ run, metrics }: Pick<RunPicture, 'run' | 'metrics'>, { name, date }: CardTitle): string | null {
  const { prepared, config } = run;
  if (!prepared || metrics.step.length === 0) return null;
  const body = markup`<h1>${name}</h1>
    <p class="sub">${METHOD_NAMES[config.method]} fine-tuning of ${prepared.modelName} on ${prepared.data.name}, ${date}. ${ending(run)}</p>
    ${facts(run, metrics)}
    <section>
      <h2>Loss</h2>
      <p class="key">
        <span class="k raw-key"></span>each step <span class="k smooth-key"></span>smoothed <span class="k eval-key"></span>held out
      </p>
      ${lossSvg(metrics, run.evals, Math.max(config.steps, metrics.step.last))} ${evaluations(run)}
    </section>
    ${config.method === 'lisa' ? layers(run, prepared, metrics) : null} ${memory(run, prepared, metrics)} ${samples(run)} ${settings(run)}
    ${sources(prepared, run.report)}
    <footer>Written by LISA Studio. All figures were measured on the device named here, except those marked as a forecast.</footer>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${markup`${name}`.text}</title>
<style>${CARD_STYLE}</style>
</head>
<body>
<main>
${body.text}
</main>
</body>
</html>
`;
}

function ending(run: Run): string {
  const at = `after step ${formatCount(run.step)} of ${formatCount(run.config.steps)}`;
  if (run.error) return `It failed ${at}: ${run.error.detail}`;
  if (run.phase === 'done') return run.stopped ? `It was stopped ${at}.` : `It finished all ${formatCount(run.step)} steps.`;
  return `It is running, ${at}.`;
}

const row = (name: string, value: string | number, exact?: string): Markup =>
  markup`<tr>
    <th scope="row">${name}</th>
    <td title="${exact ?? ''}">${value}</td>
  </tr>`;

function facts(run: Run, metrics: RunMetrics): Markup {
  const { evals, report, prepared } = run;
  const first = evals[0];
  const last = evals.at(-1);
  const exported = exportedLoss(run);
  const ms = metrics.stepMs.values().reduce((sum, value) => sum + value, 0);
  const list: readonly (readonly [string, string, string?])[] = [
    [
      'Held-out loss',
      first && last && first !== last ? `${formatLoss(first.loss)} → ${formatLoss(last.loss)}` : formatLoss(last?.loss ?? NaN),
    ],
    ...(exported === null ? [] : [['Held-out loss of the exported model', formatLoss(exported)] as const]),
    ['Last loss', formatLoss(metrics.loss.last), String(metrics.loss.last)],
    ['Training time', formatDuration(ms), `${ms} ms`],
    ['Tokens per second', formatCount(report?.tokensPerSecond ?? NaN), String(report?.tokensPerSecond ?? '')],
    ['Parameters trained per step', `${formatCount(prepared?.trainable ?? NaN)} of ${formatCount(prepared?.parameters ?? NaN)} parameters`],
  ];
  return markup`<dl class="facts">
    ${list.map(
      ([name, value, exact]) =>
        markup`<div>
          <dt>${name}</dt>
          <dd title="${exact ?? ''}">${value}</dd>
        </div>`,
    )}
  </dl>`;
}

const evaluations = ({ evals }: Run): Markup | null =>
  evals.length === 0
    ? null
    : markup`<details>
        <summary>Held-out losses</summary>
        <table>
          <thead>
            <tr>
              <th scope="col">After step</th>
              <th scope="col">Loss</th>
            </tr>
          </thead>
          <tbody>
            ${evals.map(
              ({ step, loss }) =>
                markup`<tr>
                  <td>${formatCount(step)}</td>
                  <td>${loss}</td>
                </tr>`,
            )}
          </tbody>
        </table>
      </details>`;

function layers(run: Run, { shape }: Prepared, metrics: RunMetrics): Markup {
  const { periods } = metrics;
  const touched = new Set(periods.flatMap((period) => period.layers)).size;
  const moves = (period: number): string =>
    (metrics.moved.get(period) ?? []).map(({ layer, change }) => `${layer}: ${change}`).join(', ') || '–';
  return markup`<section>
    <h2>Trained layers</h2>
    <p>
      ${formatCount(touched)} of ${formatCount(shape.layers)} layers in ${formatCount(periods.length)} periods of
      ${formatCount(run.config.stepsPerPeriod)} steps. Besides them: ${describePolicies(run.config, shape.tied)}.
    </p>
    ${rasterSvg(periods, shape.layers, Math.max(run.config.steps, metrics.step.last))}
    <details>
      <summary>Layers by period</summary>
      <div class="wide">
        <table>
          <thead>
            <tr>
              <th scope="col">Period</th>
              <th scope="col">Steps</th>
              <th scope="col">Layers</th>
              <th scope="col">Loss, first → last step</th>
              <th scope="col">‖ΔW‖ / ‖W‖ by layer</th>
            </tr>
          </thead>
          <tbody>
            ${periods.map(
              (period) =>
                markup`<tr>
                  <td>${period.period + 1}</td>
                  <td>${period.firstStep}–${period.lastStep}</td>
                  <td>${formatList([...period.layers].sort((a, b) => a - b))}</td>
                  <td title="${period.firstLoss} → ${period.lastLoss}">${formatLoss(period.firstLoss)} → ${formatLoss(period.lastLoss)}</td>
                  <td>${moves(period.period)}</td>
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
    </details>
  </section>`;
}

interface MemoryRow {
  readonly label: string;
  readonly kind: 'forecast' | 'measured';
  readonly groups: GroupBytes;
  readonly total: number;
}

function memoryRows({ config, report }: Run, { forecasts }: Prepared, metrics: RunMetrics): MemoryRow[] {
  const rows: MemoryRow[] = (['full', 'lora', 'lisa'] as const).map((method) => ({
    label: METHOD_NAMES[method],
    kind: 'forecast',
    groups: groupBytes(forecasts[method].bytes),
    total: forecasts[method].total,
  }));
  const label = `${METHOD_NAMES[config.method]}, peak`;
  if (report) rows.push({ label, kind: 'measured', groups: groupBytes(report.memory.peak), total: report.memory.peak.total });
  else if (metrics.peak) rows.push({ label: `${label} so far`, kind: 'measured', ...metrics.peak });
  return rows;
}

function memory(run: Run, prepared: Prepared, metrics: RunMetrics): Markup {
  const rows = memoryRows(run, prepared, metrics);
  const scale = Math.max(...rows.map(({ total }) => total));
  const peak = rows.at(-1)?.total ?? 0;
  return markup`<section>
    <h2>Memory on the GPU</h2>
    <p>${measuredReceipt(run.config.method, peak, prepared.forecasts.full.total, run.report !== null)}</p>
    <table class="memory">
      <tbody>
        ${rows.map(
          ({ label, kind, total }) =>
            markup`<tr>
              <th scope="row">${label}</th>
              <td>${kind}</td>
              <td>${bar(kind, total / scale)}</td>
              <td title="${formatCount(total)} bytes"><strong>${formatBytes(total)}</strong></td>
            </tr>`,
        )}
      </tbody>
    </table>
    <details>
      <summary>Exact bytes</summary>
      <div class="wide">
        <table class="memory">
          <thead>
            <tr>
              <th scope="col">Bytes</th>
              ${rows.map(({ label, kind }) => markup`<th scope="col">${label}, ${kind}</th>`)}
            </tr>
          </thead>
          <tbody>
            ${MEMORY_GROUPS.map(
              (group) =>
                markup`<tr>
                  <th scope="row">${SEGMENT_NAMES[group]}</th>
                  ${rows.map(({ groups }) => markup`<td>${formatCount(groups[group])}</td>`)}
                </tr>`,
            )}
            <tr>
              <th scope="row">Total</th>
              ${rows.map(({ total }) => markup`<td><strong>${formatCount(total)}</strong></td>`)}
            </tr>
          </tbody>
        </table>
      </div>
    </details>
  </section>`;
}

const bar = (kind: MemoryRow['kind'], share: number): Markup =>
  markup`<svg class="bar" viewBox="-1 -1 242 14" aria-hidden="true">
    <rect class="${kind}" x="0" y="0" width="${Math.round(share * 240)}" height="12"></rect>
  </svg>`;

/** Browsers say the same thing in several fields. */
function deviceText({ description, vendor, architecture, software }: Prepared['device']): string {
  const parts: string[] = [];
  for (const part of [description, vendor, architecture])
    if (part && !parts.join(' ').toLowerCase().includes(part.toLowerCase())) parts.push(part);
  return `${parts.join(', ')}${software ? ' (software)' : ''}`;
}

function samples({ samples: list }: Run): Markup | null {
  if (list.length === 0) return null;
  const prompts = [...new Set(list.map(({ prompt }) => prompt))];
  return markup`<section>
    <h2>Samples</h2>
    ${prompts.map(
      (prompt) =>
        markup`<h3>${prompt}</h3>
          ${list
            .filter((sample) => sample.prompt === prompt)
            .map(
              (sample) =>
                markup`<div class="sample">
                  <p class="when">${sample.when === 'before' ? 'before' : `after step ${formatCount(sample.step)}`}</p>
                  <p class="text">${sample.text}</p>
                </div>`,
            )}`,
    )}
  </section>`;
}

function settings({ config }: Run): Markup {
  const changed = new Set(Object.keys(configDiff(config)));
  const keys = Object.keys(DEFAULTS) as ConfigKey[];
  return markup`<section>
    <h2>Settings</h2>
    <p class="sub">Bold settings differ from the defaults.</p>
    <table>
      <tbody>
        ${keys.map((key) =>
          changed.has(key)
            ? markup`<tr class="own">
                <th scope="row">${LABELS[key].label}</th>
                <td>${settingText(key, config)}</td>
              </tr>`
            : row(LABELS[key].label, settingText(key, config)),
        )}
      </tbody>
    </table>
  </section>`;
}

function sources({ data, device, shape, modelName }: Prepared, report: RunReport | null): Markup {
  return markup`<section>
    <h2>Model, data and device</h2>
    <table>
      <tbody>
        ${row('Model', `${modelName}: ${shape.family}, ${shape.layers} layers of width ${shape.width}, vocabulary ${shape.vocab}`)}
        ${row('Data', `${data.name}, ${data.format}`)}
        ${row('Rows', `${formatCount(data.rows)} for training, ${formatCount(data.evalRows)} held out`)}
        ${row('Tokens', `${formatCount(data.tokens)}; ${formatCount(data.targets)} of them count toward the loss`)}
        ${row('Left out', `${formatCount(data.dropped)} rows dropped, ${formatCount(data.badRows)} malformed, ${formatCount(data.duplicates)} duplicates; ${formatCount(data.truncated)} truncated`)}
        ${row('Device', deviceText(device))}
        ${report ? row('Kernels', report.kernels) : null}
      </tbody>
    </table>
  </section>`;
}
