// `npm run experiment`: the runs behind docs/results.md. Every method at its learning rate, three seeds each, on the
// built-in model and data with the defaults of finetune; prints the table and the samples of every run verbatim, as Markdown.
// `--methods lisa --seeds 1` runs some of them, `--variants all` LISA with each lever that saves memory; further arguments go to every run: `npm run experiment -- --weights stored`.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { METHOD_LR } from '../config/run-config';
import { errorInfo } from '../base/errors';
import { openGpu } from '../gpu/device';
import { nodeGpu, UNCHECKED } from '../gpu/node';
import type { RunEvent, RunReport, Sample } from '../train/events';
import { parseExperimentOptions, type ExperimentOptions } from './experiment/options';
import type { Variant } from './experiment/variants';
import { samplesByPrompt } from './experiment/samples';
import { describeRoundingBack, megabytes } from './finetune/print';
import { runFinetune } from './finetune/run';
import { Terminal } from './terminal';

const PROMPTS = ['Define: POLITICIAN', 'Define: FRIEND', 'Define: COMPUTER'];

const terminal = new Terminal();
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

interface Outcome {
  readonly report: RunReport;
  readonly samples: readonly Sample[];
}

async function run({ name, method, args }: Variant, seed: number): Promise<Outcome> {
  const out = await mkdtemp(join(tmpdir(), 'lisa-experiment-'));
  const samples: Sample[] = [];
  let report: RunReport | null = null;
  const prompts = PROMPTS.flatMap((prompt) => ['--prompt', prompt]);
  const status = await runFinetune(
    [
      '--method',
      method,
      '--seed',
      String(seed),
      '--eval-every',
      '0',
      '--save-every',
      '0',
      '--sample-at',
      'ends',
      '--out',
      out,
      '--json',
      ...prompts,
      ...args,
      ...rest,
    ],
    {
      stdout(text) {
        for (const line of text.split('\n').filter((part) => part !== '')) {
          const event = JSON.parse(line) as RunEvent | { readonly type: 'report'; readonly report: RunReport };
          if (event.type === 'sample') samples.push(event.sample);
          if (event.type === 'report') report = event.report;
          if (event.type === 'step' && event.metrics.step % 20 === 0)
            terminal.stderr(`${name} seed ${seed}: step ${event.metrics.step}, loss ${event.metrics.loss.toFixed(3)}\n`);
        }
      },
      stderr: terminal.stderr,
      openGpu: async () => openGpu(await nodeGpu(UNCHECKED)),
      onStop: () => () => undefined,
      publicFolder: fileURLToPath(new URL('../public/', import.meta.url)),
      env: process.env,
      debug: true,
    },
  );
  await rm(out, { recursive: true, force: true });
  if (status !== 0 || !report) process.exit(status || 1);
  const losses = (report as RunReport).evalLoss.map(({ step, loss }) => `${step}: ${loss.toFixed(4)}`);
  terminal.stderr(`${name} seed ${seed}: held-out ${losses.join(', ')}\n`);
  return { report, samples };
}

const print = (line = ''): void => terminal.stdout(`${line}\n`);

const outcomes = new Map<Variant, Outcome[]>();
for (const variant of variants) {
  const list: Outcome[] = [];
  for (const seed of seeds) list.push(await run(variant, seed));
  outcomes.set(variant, list);
}

const { device } = outcomes.get(variants[0])![0].report;
print(`Device: ${device.description}${device.software ? ' (software)' : ''}. Extra arguments: ${rest.join(' ') || 'none'}.`);
print();
print(`| run | lr | held-out before | after, mean | seeds ${seeds.join(' ')} | peak memory, measured | tokens/s |`);
print('|---|---|---|---|---|---|---|');
for (const [{ name, method }, list] of outcomes) {
  const after = list.map(({ report }) => report.evalLoss.at(-1)!.loss);
  const mean = after.reduce((sum, loss) => sum + loss, 0) / after.length;
  const { report } = list[0];
  const cells = [
    name,
    METHOD_LR[method].toExponential(0),
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
