// README.md of an exported model: front matter for the Hugging Face Hub, and a description of the run. Every number was
// measured or is called a forecast. None depends on the clock, so that a resumed run has the same card. Names that others chose
// are in code spans. Pure. Front matter: https://huggingface.co/docs/hub/model-cards

import { looksLikeHubName, parseHubName } from '../io/hub/names';
import { SOURCE_WORDS } from '../config/importance';
import { describePolicies } from '../config/policies';
import type { RunConfig } from '../config/run-config';
import usage from './model-card.py?raw';
import { markdownCode, yamlString } from './quote';
import type { Dtype } from '../model/types';
import type { DataSummary } from '../data/sample/dataset';
import type { RunReport } from '../train/events';

export interface ModelCardFacts {
  /** The name of the run's model: a hub id, or a folder's name. */
  readonly base: string;
  readonly commit: string | null;
  readonly config: RunConfig;
  readonly data: Pick<DataSummary, 'name' | 'rows' | 'evalRows'>;
  readonly report: RunReport;
  readonly dtype: Dtype;
  /** The head is the embedding. */
  readonly tied: boolean;
}

const METHODS: Readonly<Record<RunConfig['method'], string>> = {
  lisa: 'LISA (Layerwise Importance Sampled AdamW, [arXiv 2403.17919](https://arxiv.org/abs/2403.17919))',
  lora: 'LoRA ([arXiv 2106.09685](https://arxiv.org/abs/2106.09685)) on all linear projections; here merged, the adapter in `adapter/`',
  full: 'full fine-tuning with AdamW',
};

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

/** The hub id of the base model; null if it came from a folder. */
function hubId(base: string): string | null {
  return looksLikeHubName(base) ? parseHubName(base).repo : null;
}

function frontMatter({ base, config }: ModelCardFacts): string[] {
  const id = hubId(base);
  return [
    '---',
    'library_name: transformers',
    'pipeline_tag: text-generation',
    ...(id === null ? [] : [`base_model: ${yamlString(id)}`, 'base_model_relation: finetune']),
    'tags:',
    ...['lisa-studio', 'webgpu', config.method === 'full' ? 'full-fine-tuning' : config.method].map((tag) => `  - ${tag}`),
    '---',
  ];
}

function settings({ config, tied, report }: ModelCardFacts): string[] {
  const { steps, batchSize, gradAccum, seqLen, lr, lrSchedule, warmup, weightDecay, beta1, beta2, eps, gradClip, seed } = config;
  const shared = [
    `steps ${steps}, rows per step ${batchSize} × ${gradAccum}, tokens per row at most ${seqLen}`,
    `learning rate ${lr}, ${lrSchedule}, warm-up ${warmup} steps`,
    `AdamW: β ${beta1} and ${beta2}, ε ${eps}, weight decay ${weightDecay}, gradient norm ${gradClip === 0 ? 'not clipped' : `clipped at ${gradClip}`}`,
    `loss on ${config.mask === 'assistant' ? "the assistant's words of chats" : 'all tokens'}, seed ${seed}`,
  ];
  if (config.method === 'lora') return [...shared, `rank ${config.loraRank}, α ${config.loraAlpha}`];
  if (config.method === 'full') return shared;
  return [
    ...shared,
    `γ = ${config.lisaLayers} layers at a time, drawn again every K = ${config.stepsPerPeriod} steps (${config.lisaSampler})`,
    ...(report.importance ? [importance(report.importance)] : []),
    describePolicies(config, tied),
  ];
}

function importance({ source, steps, fingerprint, weights, certain }: NonNullable<RunReport['importance']>): string {
  const measured = fingerprint === null ? '' : ` (measured over ${steps} steps on the base, fingerprint ${fingerprint})`;
  const always = certain.length > 0 ? `; trained in every period, since γ·p is 1 or more: ${certain.join(' ')}` : '';
  return `layers drawn by ${SOURCE_WORDS[source]}${measured}: p = ${weights.map((p) => p.toFixed(4)).join(' ')}${always}`;
}

/** A run on a quantised base computes with that, and exports full precision: both losses are told. */
function losses({ report: { evalLoss }, config: { method, weightStorage }, dtype }: ModelCardFacts): string[] {
  const bits = method === 'full' ? undefined : { int8: 8, int4: 4 }[weightStorage as string];
  const own = bits === undefined ? evalLoss : evalLoss.filter(({ weights }) => weights === undefined);
  const [before, after] = [own[0], own.at(-1)];
  if (!before || !after || after.step <= before.step) return ['no held-out loss was measured'];
  const told = (of: string): string =>
    `held-out loss ${before.loss.toFixed(4)} before, ${after.loss.toFixed(4)} after step ${after.step} (nats a target, ${of})`;
  if (bits === undefined)
    return [told(`of the weights ${(after.weights ?? 'f32') === dtype ? `in ${dtype}` : 'before they were rounded'}`)];
  const files = evalLoss.findLast(({ weights, step }) => weights === dtype && step === after.step);
  return [
    told(`of the run, in which weights that did not train were stored in ${bits} bits`),
    files ? `held-out loss ${files.loss.toFixed(4)} of these files, in ${dtype}` : 'the held-out loss of these files was not measured',
  ];
}

function results(facts: ModelCardFacts): string[] {
  const { memory, parameters, trainable, device } = facts.report;
  return [
    ...losses(facts),
    `peak GPU memory: ${megabytes(memory.peak.total)} measured, ${megabytes(memory.forecast.total)} forecast`,
    `${parameters} parameters, ${trainable} of them trained per step`,
    `device: ${markdownCode(device.description)}`,
  ];
}

const list = (lines: readonly string[]): string => lines.map((line) => `- ${line}`).join('\n');

function periods({ schedule, evalLoss }: RunReport): string[] {
  const done = evalLoss.at(-1)?.step ?? Infinity;
  const trained = schedule.filter(({ firstStep }) => firstStep <= done);
  if (trained.length === 0) return [];
  const lines = trained.map(
    ({ firstStep, layers, blocks = [] }) => `from step ${firstStep}: ${[...layers, ...blocks].join(' ') || 'none'}`,
  );
  return ['', '## Layers that trained', '', '```text', ...lines, '```'];
}

export function modelCard(facts: ModelCardFacts): string {
  const { base, commit, config, data, report, dtype } = facts;
  const adapter =
    config.method !== 'lora'
      ? []
      : ['', 'To use only the adapter, load the base model first, then `PeftModel.from_pretrained(base, folder + "/adapter")`.'];
  return [
    ...frontMatter(facts),
    '',
    '# Fine-tuned with LISA Studio',
    '',
    list([
      `base model: ${markdownCode(base)}${commit === null ? '' : `, commit ${commit}`}`,
      `method: ${METHODS[config.method]}`,
      `data: ${markdownCode(data.name)}, ${data.rows} rows to train on, ${data.evalRows} held out`,
      `weights: ${dtype}`,
    ]),
    '',
    '## Settings',
    '',
    list(settings(facts)),
    '',
    '## Results',
    '',
    list(results(facts)),
    ...periods(report),
    '',
    '## Use',
    '',
    '```python',
    usage.trimEnd(),
    '```',
    ...adapter,
    '',
  ].join('\n');
}
