// `npm run experiment`: the runs behind docs/results.md. Every method at its learning rate, three seeds each, on the
// built-in model and data with the defaults of finetune; prints the table and the samples of every run verbatim, as Markdown.
// `--methods lisa --seeds 1` runs some of them, `--variants all` LISA with each lever that saves memory; further arguments go to every run: `npm run experiment -- --weights stored`.
// `npm run experiment -- importance`: how layers are drawn (experiment/importance-study.ts); `-- methods|draws|levers|all|quick`: learning rates,
// γ and K, levers (experiment/grid-study.ts).

import { METHOD_LR } from '../config/run-config';
import { errorInfo } from '../base/errors';
import { parseExperimentOptions, type ExperimentOptions } from './experiment/options';
import type { Variant } from './experiment/variants';
import { isGridName, runGridStudy } from './experiment/grid-study';
import { runImportanceStudy } from './experiment/importance-study';
import { runOnce, type Outcome } from './experiment/run-once';
import { samplesByPrompt } from './experiment/samples';
import { describeRoundingBack, megabytes } from './finetune/print';
import { Terminal } from './terminal';

const PROMPTS = ['Define: POLITICIAN', 'Define: FRIEND', 'Define: COMPUTER'];

const terminal = new Terminal();
const [name, ...studyArgs] = process.argv.slice(2);
if (isGridName(name)) await terminal.exit(await runGridStudy(name, studyArgs, terminal));
if (name === 'importance') await terminal.exit(await runImportanceStudy(studyArgs, terminal));
const { variants, seeds, rest } = options();

function options(): ExperimentOptions {
  try {
    return parseExperimentOptions(process.argv.slice(2));
  } catch (thrown) {
    const { detail, remedy } = errorInfo(thrown);
    terminal.stderr(`experiment: ${detail} ${remedy}\n`);
    return process.exit(2);
  }
}

const print = (line = ''): void => terminal.stdout(`${line}\n`);

const outcomes = new Map<Variant, Outcome[]>();
for (const variant of variants) {
  const list: Outcome[] = [];
  for (const seed of seeds) {
    const prompts = PROMPTS.flatMap((prompt) => ['--prompt', prompt]);
    const { name, method, args } = variant;
    list.push(await runOnce(terminal, `${name} seed ${seed}`, ['--method', method, '--seed', String(seed), ...prompts, ...args, ...rest]));
  }
  outcomes.set(variant, list);
}

const { device } = outcomes.get(variants[0])![0].report;
print(`Device: ${device.description}${device.software ? ' (software)' : ''}. Extra arguments: ${rest.join(' ') || 'none'}.`);
print();
print(`| run | lr | held-out before | after, mean | seeds ${seeds.join(' ')} | peak memory, measured | tokens/s |`);
print('|---|---|---|---|---|---|---|');
for (const [variant, list] of outcomes) {
  const after = list.map(({ report }) => report.evalLoss.at(-1)!.loss);
  const mean = after.reduce((sum, loss) => sum + loss, 0) / after.length;
  const { report } = list[0];
  const cells = [
    variant.name,
    METHOD_LR[variant.method].toExponential(0),
    report.evalLoss[0].loss.toFixed(4),
    `**${mean.toFixed(3)}**`,
    after.map((loss) => loss.toFixed(4)).join(' '),
    megabytes(report.memory.peak.total),
    list.map((one) => one.report.tokensPerSecond.toFixed(0)).join(' '),
  ];
  print(`| ${cells.join(' | ')} |`);
}
print();
for (const [{ name }, list] of outcomes) {
  for (const [at, { report }] of list.entries())
    if (report.rounding) print(`- ${name}, seed ${seeds[at]}: ${describeRoundingBack(report.rounding)}`);
}
print();
const samples = new Map([...outcomes].map(([{ name }, list]) => [name, list.map((one) => one.samples)]));
print(samplesByPrompt(samples, seeds));
await terminal.exit(0);
