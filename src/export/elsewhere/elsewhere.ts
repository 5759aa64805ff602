// "When one machine is too small": a run as files for two engines that train on several GPUs, axolotl (a YAML) and LMFlow (a shell
// script), with what they do otherwise. The program that brings the data into the forms that both read takes the names of the file
// and of its columns as arguments. Pure: no file is read, nothing is run.

import { policiesOf, type Policy } from '../../config/policies';
import { axolotlConfig, yamlText } from './axolotl';
import type { ElsewhereFacts } from './facts';
import { lmflowScript } from './lmflow';
import prepareData from './prepare_data.py?raw';
import { markdownCode, shellWord } from '../quote';

export interface ElsewhereFile {
  readonly name: string;
  readonly text: string;
}

/** What neither of the two does as this program does it. */
function differences({ config, style, tied }: ElsewhereFacts): string[] {
  const policies = Object.entries(policiesOf(config, tied));
  const of = (policy: Policy): string[] => policies.flatMap(([name, own]) => (own === policy ? [name] : []));
  const [off, rows] = [of('off'), of('rows')];
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
    ...(config.method === 'lisa' && rows.length > 0
      ? [`This run trains only the rows of ${rows.join(' and ')} whose tokens occur in the data: there all rows train.`]
      : []),
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
  { name: 'prepare_data.py', text: prepareData },
];
