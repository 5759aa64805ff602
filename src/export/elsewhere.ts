// "When one machine is too small": a run as files for two engines that train on several GPUs, axolotl (a YAML) and LMFlow (a shell
// script), with what they do otherwise. Names of settings: axolotl's src/axolotl/utils/schemas, LMFlow's src/lmflow/args.py,
// scripts/run_finetune_with_lisa.sh and transformers' TrainingArguments. Pure: no file is read, nothing is run.

import type { RunConfig } from '../config/run-config';
import { PREPARE_DATA } from './elsewhere-data';
import { looksLikeHubName, parseHubName } from '../io/hub/names';
import { markdownCode, shellWord, yamlString } from './quote';

export interface ElsewhereFacts {
  readonly config: RunConfig;
  /** The model as the other engine is to find it: a hub's id (with @revision) or a path. */
  readonly model: string;
  /** Where transformers keeps the layers of this model. */
  readonly style: 'gpt2' | 'llama';
  /** The data file, as it is to be found; and whether its rows are conversations. */
  readonly data: string;
  readonly chat: boolean;
}

export interface ElsewhereFile {
  readonly name: string;
  readonly text: string;
}

type Scalar = string | number | boolean;
type Yaml = Scalar | readonly Scalar[] | readonly Readonly<Record<string, Scalar | readonly Scalar[]>>[];

/** YAML 1.1 takes 1e-8 for a string: a number needs its point. */
const numberText = (value: number): string => {
  const text = String(value);
  return /^-?\d+e/.test(text) ? text.replace('e', '.0e') : text;
};

const scalarText = (value: Scalar): string =>
  typeof value === 'string' ? yamlString(value) : typeof value === 'number' ? numberText(value) : String(value);
const isScalar = (value: Yaml): value is Scalar => typeof value !== 'object';
const listText = (values: readonly Scalar[]): string => `[${values.map(scalarText).join(', ')}]`;
const isScalars = (values: readonly unknown[]): values is readonly Scalar[] => values.every((value) => typeof value !== 'object');

function yamlText(fields: Readonly<Record<string, Yaml>>): string {
  const lines = Object.entries(fields).flatMap(([key, value]) => {
    if (isScalar(value)) return [`${key}: ${scalarText(value)}`];
    if (isScalars(value)) return [`${key}: ${listText(value)}`];
    return [
      `${key}:`,
      ...value.flatMap((entry) =>
        Object.entries(entry).map(
          ([name, of], i) => `${i === 0 ? '  - ' : '    '}${name}: ${typeof of === 'object' ? listText(of) : scalarText(of)}`,
        ),
      ),
    ];
  });
  return `${lines.join('\n')}\n`;
}

const SCHEDULER: Readonly<Record<RunConfig['lrSchedule'], string>> = {
  constant: 'constant_with_warmup',
  linear: 'linear',
  cosine: 'cosine',
};

/** A hub's model by id and revision; a path as it is. */
function modelOf(model: string): { readonly path: string; readonly revision: string | null } {
  if (!looksLikeHubName(model)) return { path: model, revision: null };
  const { repo, revision } = parseHubName(model);
  return { path: repo, revision: revision === 'main' ? null : revision };
}

export function axolotlConfig({ config, model, style, chat }: ElsewhereFacts): Readonly<Record<string, Yaml>> {
  const { path, revision } = modelOf(model);
  const held = config.evalSplit > 0 && config.evalEvery > 0;
  return {
    base_model: path,
    ...(revision !== null && { revision_of_model: revision }),
    datasets: [
      chat
        ? {
            path: 'train.jsonl',
            ds_type: 'json',
            type: 'chat_template',
            field_messages: 'messages',
            roles_to_train: config.mask === 'all' ? ['system', 'user', 'assistant', 'tool'] : ['assistant'],
          }
        : { path: 'train.jsonl', ds_type: 'json', type: 'completion', field: 'text' },
    ],
    output_dir: './tuned',
    val_set_size: held ? config.evalSplit : 0,
    sequence_len: config.seqLen,
    sample_packing: config.packing,
    shuffle_merged_datasets: config.shuffle,
    micro_batch_size: config.batchSize,
    gradient_accumulation_steps: config.gradAccum,
    // max_steps ends the run; an epoch has a step at least.
    num_epochs: config.steps,
    max_steps: config.steps,
    optimizer: 'adamw_torch',
    learning_rate: config.lr,
    lr_scheduler: SCHEDULER[config.lrSchedule],
    warmup_steps: config.warmup,
    weight_decay: config.weightDecay,
    adam_beta1: config.beta1,
    adam_beta2: config.beta2,
    adam_epsilon: config.eps,
    max_grad_norm: config.gradClip,
    seed: config.seed,
    bf16: 'auto',
    gradient_checkpointing: true,
    logging_steps: 1,
    ...(held && { eval_steps: config.evalEvery }),
    ...(config.saveEvery > 0 && { save_steps: config.saveEvery }),
    ...(config.method === 'lisa' && {
      lisa_n_layers: config.lisaLayers,
      lisa_step_interval: config.lisaPeriod,
      lisa_layers_attribute: style === 'gpt2' ? 'transformer.h' : 'model.layers',
    }),
    ...(config.method === 'lora' && {
      adapter: 'lora',
      lora_r: config.loraRank,
      lora_alpha: config.loraAlpha,
      lora_dropout: 0,
      lora_target_linear: true,
    }),
  };
}

/** Options of LMFlow's examples/finetune.py, but for the chat template, which is the shell's variable. */
export function lmflowOptions({ config, model, style }: ElsewhereFacts): Readonly<Record<string, Scalar>> {
  const { path, revision } = modelOf(model);
  return {
    model_name_or_path: path,
    ...(revision !== null && { model_revision: revision }),
    dataset_path: 'lmflow-data',
    output_dir: 'tuned',
    disable_group_texts: config.packing ? 0 : 1,
    block_size: config.seqLen,
    train_on_prompt: config.mask === 'all' ? 1 : 0,
    per_device_train_batch_size: config.batchSize,
    gradient_accumulation_steps: config.gradAccum,
    max_steps: config.steps,
    optim: 'adamw_torch',
    learning_rate: config.lr,
    lr_scheduler_type: SCHEDULER[config.lrSchedule],
    warmup_steps: config.warmup,
    weight_decay: config.weightDecay,
    adam_beta1: config.beta1,
    adam_beta2: config.beta2,
    adam_epsilon: config.eps,
    max_grad_norm: config.gradClip,
    seed: config.seed,
    torch_dtype: 'bfloat16',
    bf16: 1,
    gradient_checkpointing: 1,
    logging_steps: 1,
    ...(config.saveEvery > 0 && { save_steps: config.saveEvery }),
    ...(config.method === 'lisa' && {
      use_lisa: 1,
      lisa_activated_layers: config.lisaLayers,
      lisa_interval_steps: config.lisaPeriod,
      lisa_layers_attribute: style === 'gpt2' ? 'model.transformer.h' : 'model.model.layers',
    }),
    ...(config.method === 'lora' && { use_lora: 1, lora_r: config.loraRank, lora_alpha: config.loraAlpha, lora_dropout: 0 }),
  };
}

function lmflowScript(facts: ElsewhereFacts): string {
  const options = Object.entries(lmflowOptions(facts)).map(
    ([name, value]) => `  --${name} ${typeof value === 'string' ? shellWord(value) : value}`,
  );
  const template = facts.chat
    ? [': "${CONVERSATION_TEMPLATE:?Set it to LMFlow\'s name of the chat template of this model, for example llama3 or qwen2.}"']
    : [];
  return [
    '#!/bin/sh',
    '# Run it in the folder that has lmflow-data; LMFLOW is where LMFlow is checked out.',
    'set -eu',
    ': "${LMFLOW:?Set it to the folder of LMFlow.}"',
    ...template,
    'python "$LMFLOW/examples/finetune.py" \\',
    [
      ...options,
      ...(facts.chat ? ['  --conversation_template "$CONVERSATION_TEMPLATE"'] : []),
      '  --overwrite_output_dir',
      '  --do_train',
    ].join(' \\\n'),
    '',
  ].join('\n');
}

/** What neither of the two does as this program does it. */
function differences({ config, style }: ElsewhereFacts): string[] {
  const off = Object.entries(config.lisaTrain).flatMap(([name, on]) => (on ? [] : [name]));
  const lisa = [
    `Layers are drawn with numpy, not from this run's schedule: axolotl seeds each draw with the step's number, so \`seed\` has no say in it; LMFlow draws from numpy's one global stream. Neither will train the layers that this run trained in a period.`,
    'Draws are uniform. Bernoulli, cycle and weighted sampling, and weights per layer, do not exist there.',
    'Embedding, head and final norm train in every step; there is no switch for them.',
    'The optimizer is made once with all parameters. What becomes of the state of layers that left depends on the version; in those that keep it, memory grows towards that of full fine-tuning, and a layer that comes back goes on with old moments. Here a layer that leaves loses its state, or parks it in host memory.',
    'With fully sharded data parallelism or DeepSpeed stage 3 parameters are not whole in one place; try one GPU first.',
  ];
  return [
    ...(config.method === 'lisa' ? lisa : []),
    ...(config.method === 'lisa' && config.lisaSampler !== 'uniform'
      ? [`This run draws by ${config.lisaSampler}: there it becomes uniform.`]
      : []),
    ...(config.method === 'lisa' && off.length > 0 ? [`This run does not train ${off.join(', ')}: there they train.`] : []),
    ...(config.method === 'lisa' && config.lisaState === 'park'
      ? ['This run parks the state of layers that leave: there is no such option.']
      : []),
    'Weights and arithmetic are bfloat16 where the GPU has it; here masters and sums are f32. Small updates can be lost there.',
    `The rate has the same shape, warm-up and length. transformers' schedules start at 0 in the first step; here the first step has 1/warm-up of the peak${config.lrSchedule === 'constant' ? '. Constant means constant after the warm-up' : ''}.`,
    'With several GPUs the rows of a step are micro-batch × accumulation × GPUs: lower the accumulation to keep a step as it is.',
    'A step here divides by all targets of its micro-batches. Others may take the mean of their means, which weighs rows with few targets more.',
    'Rows are held out, shuffled and packed by rules of their own; copies of held-out rows are not taken out of training.',
    'LMFlow trains without evaluation here, and renders chats with a template of its own by name. axolotl takes the one of the tokenizer.',
    ...(config.method === 'lora' && style === 'gpt2'
      ? ["PEFT must know GPT-2's layers as Conv1D (fan_in_fan_out); it warns and sets it."]
      : []),
  ];
}

function readme(facts: ElsewhereFacts): string {
  const { config, data } = facts;
  const columns = Object.entries(config.columns ?? {}).map(([field, column]) => ` ${shellWord(`${field}=${column}`)}`);
  const command = `python3 prepare_data.py ${shellWord(data)}${columns.join('')}`;
  return [
    '# The same run on several GPUs',
    '',
    `The run (${config.method}, ${config.steps} steps) on model ${markdownCode(facts.model)} and data ${markdownCode(data)}, for two engines that this project did not make.`,
    'A model that is a path must be a folder in Hugging Face layout there. The seed, rows and steps are the same; numbers will not be.',
    '',
    '1. Bring the data into their form:',
    '',
    `       ${command}`,
    '',
    '2. axolotl:',
    '',
    '       axolotl train axolotl.yaml',
    '',
    '   or LMFlow:',
    '',
    `       LMFLOW=path/to/LMFlow ${facts.chat ? 'CONVERSATION_TEMPLATE=name ' : ''}sh lmflow.sh`,
    '',
    '## What they do otherwise',
    '',
    ...differences(facts).map((line) => `- ${line}`),
    '',
  ].join('\n');
}

/** The set of files, for one folder. */
export const elsewhereFiles = (facts: ElsewhereFacts): readonly ElsewhereFile[] => [
  { name: 'README.md', text: readme(facts) },
  { name: 'axolotl.yaml', text: yamlText(axolotlConfig(facts)) },
  { name: 'lmflow.sh', text: lmflowScript(facts) },
  { name: 'prepare_data.py', text: PREPARE_DATA },
];
