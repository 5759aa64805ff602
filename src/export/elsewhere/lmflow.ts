// A run as a shell script for LMFlow. Names of options: LMFlow's src/lmflow/args.py, scripts/run_finetune_with_lisa.sh and
// transformers' TrainingArguments. Pure.

import { modelOf, SCHEDULER, type ElsewhereFacts } from './facts';
import script from './lmflow.sh?raw';
import { shellWord } from '../quote';

/** Options of LMFlow's examples/finetune.py, but for the chat template, which is the shell's variable. */
export function lmflowOptions({ config, model, style }: ElsewhereFacts): Readonly<Record<string, string | number>> {
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
    ...(config.saveEvery !== null && config.saveEvery > 0 && { save_steps: config.saveEvery }),
    ...(config.method === 'lisa' && {
      use_lisa: 1,
      lisa_activated_layers: config.lisaLayers,
      lisa_interval_steps: config.stepsPerPeriod,
      lisa_layers_attribute: style === 'gpt2' ? 'model.transformer.h' : 'model.model.layers',
    }),
    ...(config.method === 'lora' && { use_lora: 1, lora_r: config.loraRank, lora_alpha: config.loraAlpha, lora_dropout: 0 }),
  };
}

/** lmflow.sh with the options in their place; a run on texts has no chat template. */
export function lmflowScript(facts: ElsewhereFacts): string {
  const options = Object.entries(lmflowOptions(facts)).map(
    ([name, value]) => `--${name} ${typeof value === 'string' ? shellWord(value) : value}`,
  );
  const lines = script.split('\n').filter((line) => facts.chat || !line.includes('CONVERSATION_TEMPLATE'));
  return lines.join('\n').replace('@OPTIONS@', () => options.join(' \\\n  '));
}
