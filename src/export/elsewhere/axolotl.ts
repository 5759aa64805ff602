// A run as axolotl's YAML. Names of settings: axolotl's src/axolotl/utils/schemas. Pure.

import { modelOf, SCHEDULER, type ElsewhereFacts } from './facts';
import { yamlString } from '../quote';

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

export function yamlText(fields: Readonly<Record<string, Yaml>>): string {
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
    ...(config.saveEvery !== null && config.saveEvery > 0 && { save_steps: config.saveEvery }),
    ...(config.method === 'lisa' && {
      lisa_n_layers: config.lisaLayers,
      lisa_step_interval: config.stepsPerPeriod,
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
