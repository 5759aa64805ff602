import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FIELDS } from '../../config/fields';
import { CONFIG_KEYS, configFaults, DEFAULTS, fieldOf, METHOD_LR, type ConfigKey, type RunConfig } from '../../config/run-config';
import { applyPatch, type ConfigState } from '../../store/setup/config';
import { anyConfig } from '../../testing/any-config';
import { helpText, parseOptions } from './options';

const PROFILE = { source: 'lora', fingerprint: '0123456789abcdef', steps: 30, weights: [0.5, 0.25, 0.25] } as const;

/** Every option of the headless command with a value that is not its default, and what it sets. */
const GIVEN: readonly (readonly [flag: string, value: string, sets: Partial<RunConfig>])[] = [
  ['model', 'some/dir', { model: 'some/dir' }],
  ['data', 'a.jsonl', { data: 'a.jsonl' }],
  ['eval-data', 'b.jsonl', { evalData: 'b.jsonl' }],
  ['columns', 'prompt=question,completion=answer', { columns: { prompt: 'question', completion: 'answer' } }],
  ['method', 'full', { method: 'full', lr: METHOD_LR.full }],
  ['steps', '39', { steps: 39, warmup: 3 }],
  ['lr', '1e-4', { lr: 1e-4 }],
  ['seq-len', '64', { seqLen: 64 }],
  ['batch-size', '3', { batchSize: 3 }],
  ['grad-accum', '5', { gradAccum: 5 }],
  ['seed', '0', { seed: 0 }],
  ['lr-schedule', 'linear', { lrSchedule: 'linear' }],
  ['warmup', '0', { warmup: 0 }],
  ['weight-decay', '0.1', { weightDecay: 0.1 }],
  ['beta1', '0.8', { beta1: 0.8 }],
  ['beta2', '0.95', { beta2: 0.95 }],
  ['eps', '1e-6', { eps: 1e-6 }],
  ['grad-clip', '0', { gradClip: 0 }],
  ['grad-clip-mode', 'block', { gradClipMode: 'block' }],
  ['lisa-layers', '4', { lisaLayers: 4 }],
  ['lisa-period', '20', { stepsPerPeriod: 20 }],
  ['lisa-sampler', 'bernoulli', { lisaSampler: 'bernoulli' }],
  ['lisa-weights', '1,0.5, 2', { lisaWeights: [1, 0.5, 2] }],
  // What finetune makes of a profile's file.
  ['lisa-profile', JSON.stringify(PROFILE), { lisaProfile: PROFILE }],
  ['lisa-adapt', 'gradients', { lisaAdapt: 'gradients' }],
  ['lisa-correct-rate', 'on', { lisaCorrectRate: true }],
  ['lisa-embedding', 'rows', { lisaEmbedding: 'rows' }],
  ['lisa-head', 'off', { lisaHead: 'off' }],
  ['lisa-norm', 'on', { lisaNorm: 'on' }],
  ['lisa-train', 'head,norm', { alwaysOn: { embedding: false, head: true, norm: true } }],
  ['lisa-state', 'park', { lisaState: 'park' }],
  ['lisa-rewarm', '3', { lisaRewarm: 3 }],
  ['measure-updates', 'off', { measureUpdates: false }],
  ['recompute', 'layer', { recompute: 'layer' }],
  ['optimizer-state', 'int8', { optimizerState: 'int8' }],
  ['weights', 'stored', { weightStorage: 'stored' }],
  ['lora-rank', '8', { loraRank: 8 }],
  ['lora-alpha', '8', { loraAlpha: 8 }],
  ['mask', 'all', { mask: 'all' }],
  ['packing', 'on', { packing: true }],
  ['shuffle', 'off', { shuffle: false }],
  ['bad-rows', 'skip', { badRows: 'skip' }],
  ['dedupe', 'off', { dedupe: false }],
  ['eval-split', '0.25', { evalSplit: 0.25 }],
  ['eval-every', '7', { evalEvery: 7 }],
  ['save-every', '0', { saveEvery: 0 }],
  ['prompt', 'Hello', { prompts: ['Hello'] }],
  ['temperature', '0.7', { temperature: 0.7 }],
  ['sample-at', 'ends', { sampleAt: 'ends' }],
  ['sample-tokens', '8', { sampleTokens: 8 }],
];

/** The documented list, in its order. */
const DOCUMENTED = [
  ...GIVEN.map(([flag]) => flag),
  'continue-elsewhere',
  'out',
  'out-dtype',
  'gguf',
  'verify',
  'hub-url',
  'cache-dir',
  'memory-budget',
  'resume',
  'overwrite',
  'export-last',
  'prove',
  'json',
  'help',
];

const refusal = (...args: string[]): { code: string; detail: string; remedy: string } => {
  try {
    parseOptions(args);
  } catch (error) {
    return error as { code: string; detail: string; remedy: string };
  }
  throw new Error(`${args.join(' ')} was accepted.`);
};

test('without options: the defaults, with the rate of the method', () => {
  const options = parseOptions([]);
  expect(options.config).toEqual({ ...DEFAULTS, lr: METHOD_LR.lisa });
  expect(options).toMatchObject({ out: null, outDtype: 'f32', verify: false, resume: null, json: false, help: false });
  expect(options.explicit.size).toBe(0);
});

test.each(GIVEN)('--%s %s', (flag, value, sets) => {
  for (const args of [[`--${flag}`, value], [`--${flag}=${value}`]]) {
    const { config, explicit } = parseOptions(args);
    expect(config).toEqual({ ...DEFAULTS, lr: METHOD_LR.lisa, ...sets });
    expect(explicit.size).toBe(1);
  }
});

test('options that are not settings of the run', () => {
  expect(parseOptions(['--out', 'x', '--out-dtype', 'bf16', '--json', '--overwrite'])).toMatchObject({
    out: 'x',
    outDtype: 'bf16',
    json: true,
    overwrite: true,
  });
  expect(parseOptions(['--resume', 'x', '--model', 'm', '--data', 'd'])).toMatchObject({ resume: 'x', config: { model: 'm', data: 'd' } });
  expect(parseOptions(['--resume', 'x', '--verify', 'on'])).toMatchObject({ resume: 'x', verify: true });
  expect(refusal('--verify', 'yes')).toMatchObject({ code: 'CONFIG_INVALID', detail: "--verify: 'yes' is not known." });
  expect(parseOptions(['--memory-budget', '1.5GB', '--recompute', 'auto'])).toMatchObject({
    memoryBudget: 1.5e9,
    config: { recompute: 'off' },
  });
  expect(parseOptions(['--memory-budget', '1.5GB', '--recompute', 'auto']).explicit.size).toBe(0);
  expect(refusal('--memory-budget', 'much')).toMatchObject({
    code: 'CONFIG_INVALID',
    detail: "--memory-budget: 'much' is not an amount of memory.",
  });
  expect(refusal('--recompute', 'auto')).toMatchObject({
    code: 'CONFIG_INVALID',
    detail: '--recompute: auto needs a budget to choose for.',
  });
  expect(parseOptions(['--help'])).toMatchObject({ help: true });
});

test('--prompt may be given again and again', () => {
  expect(parseOptions(['--prompt', 'a', '--prompt', 'b']).config.prompts).toEqual(['a', 'b']);
});

test.each(['none', ''])("--lisa-train '%s': only drawn layers", (value) => {
  expect(parseOptions(['--lisa-train', value]).config.alwaysOn).toEqual({ embedding: false, head: false, norm: false });
});

test('each method has its own default rate, which --lr overrides', () => {
  for (const method of ['lisa', 'lora', 'full'] as const) {
    expect(parseOptions(['--method', method]).config.lr).toBe(METHOD_LR[method]);
    expect(parseOptions(['--method', method, '--lr', '0.25']).config.lr).toBe(0.25);
  }
});

test('the warm-up is a tenth of a short run', () => {
  expect(parseOptions(['--steps', '5']).config.warmup).toBe(0);
  expect(parseOptions(['--steps', '25']).config.warmup).toBe(2);
  expect(parseOptions(['--steps', '1000']).config.warmup).toBe(DEFAULTS.warmup);
});

describe('bad values name the option and say which values are allowed', () => {
  const NUMBERS = GIVEN.filter(([, value]) => /^[\d.e-]+$/.test(value)).map(([flag]) => flag);
  test('the list of numeric options', () => {
    // A number that may be left out is a kind of its own.
    const numeric = CONFIG_KEYS.filter((key) => FIELDS[key].type === 'number' || key === 'saveEvery');
    expect(NUMBERS).toEqual(numeric.map((key) => fieldOf(key).flag));
  });

  test.each(NUMBERS)('--%s: no number, empty, negative, infinite, far too large', (flag) => {
    for (const value of ['many', '', '-1', 'Infinity', 'NaN', '1e99']) {
      const { code, detail, remedy } = refusal(`--${flag}`, value);
      expect({ value, code }).toEqual({ value, code: 'CONFIG_INVALID' });
      expect(detail).toContain(`--${flag}`);
      expect(remedy).toMatch(/^Enter /);
    }
  });

  test.each([
    'steps',
    'seq-len',
    'batch-size',
    'grad-accum',
    'warmup',
    'seed',
    'lisa-layers',
    'lisa-period',
    'lora-rank',
    'eval-every',
    'save-every',
  ])('--%s takes whole numbers only', (flag) => expect(refusal(`--${flag}`, '2.5').detail).toContain(`--${flag}: 2.5`));

  test.each(['steps', 'batch-size', 'grad-accum', 'lr', 'eps', 'lisa-layers', 'lisa-period', 'lora-rank', 'lora-alpha'])(
    '--%s 0',
    (flag) => {
      expect(refusal(`--${flag}`, '0')).toMatchObject({ code: 'CONFIG_INVALID', detail: `--${flag}: 0 is too small.` });
    },
  );

  test.each([
    ['seq-len', '1'],
    ['beta1', '1'],
    ['beta2', '1'],
    ['eval-split', '0.6'],
    ['lr', '11'],
    ['seed', '4294967296'],
    ['lisa-weights', '1,x'],
    ['lisa-weights', '1,,2'],
    ['lisa-weights', '1,-1'],
    ['lisa-weights', ''],
    ['lisa-train', 'head,tail'],
    ['method', 'sgd'],
    ['method', ''],
    ['lr-schedule', 'step'],
    ['lisa-sampler', 'random'],
    ['lisa-state', 'keep'],
    ['mask', 'user'],
    ['packing', 'yes'],
    ['shuffle', '1'],
    ['bad-rows', 'ignore'],
    ['out-dtype', 'f64'],
    ['gguf', 'q4'],
  ])('--%s %s', (flag, value) => {
    const { code, detail, remedy } = refusal(`--${flag}`, value);
    expect(code).toBe('CONFIG_INVALID');
    expect(detail).toContain(`--${flag}: `);
    expect(remedy).toMatch(/^Enter /);
  });

  test('a negative learning rate, joined or apart', () => {
    for (const args of [['--lr', '-1e-3'], ['--lr=-1e-3']]) expect(refusal(...args).detail).toBe('--lr: -0.001 is too small.');
    expect(refusal('--lr', '-.5').detail).toContain('--lr: -0.5');
  });

  test('a warm-up longer than the run', () => {
    expect(refusal('--steps', '5', '--warmup', '6').detail).toContain('--warmup');
  });
});

describe('an unknown option', () => {
  test.each([['--learning-rate', '1'], ['--lisa'], ['-x']])('%s', (...args) => {
    const { code, detail, remedy } = refusal(...args);
    expect(code).toBe('CONFIG_INVALID');
    expect(detail).toContain(args[0]);
    expect(remedy).toBe('--help lists all options.');
  });

  test('a word of its own', () =>
    expect(refusal('train')).toMatchObject({ code: 'CONFIG_INVALID', detail: expect.stringContaining("'train'") as string }));
  test('an option without its value', () =>
    expect(refusal('--steps')).toMatchObject({ code: 'CONFIG_INVALID', detail: expect.stringContaining('--steps') as string }));
  test('a value for an option that has none', () =>
    expect(refusal('--json=yes')).toMatchObject({ code: 'CONFIG_INVALID', detail: expect.stringContaining('--json') as string }));
});

test('a resumed run keeps its settings', () => {
  for (const [flag, value] of GIVEN) {
    const args = ['--resume', 'run', `--${flag}`, value];
    if (['model', 'data', 'eval-data'].includes(flag)) expect(parseOptions(args).resume).toBe('run');
    else expect(refusal(...args).detail).toContain(`--${flag}: a resumed run keeps`);
  }
});

test('--help lists every documented option, and every option is documented', () => {
  const listed = [...helpText().matchAll(/^ {2}--([a-z0-9-]+)/gm)].map(([, flag]) => flag);
  expect(listed).toEqual(DOCUMENTED);
  expect(GIVEN.map(([flag]) => flag)).toEqual(CONFIG_KEYS.map((key) => fieldOf(key).flag));
});

test('--help shows the default of an option if it does not depend on others', () => {
  const line = (flag: string): string | undefined =>
    helpText()
      .split('\n')
      .find((text) => text.startsWith(`  --${flag} `));
  expect(line('steps')).toMatch(/^ {2}--steps <number> {2,}optimizer steps \(default 100\)$/);
  expect(line('packing')).toMatch(/<on\|off>.*\(default off\)$/);
  expect(line('lisa-train')).toMatch(/\(default embedding,head,norm\)$/);
  expect(line('out-dtype')).toMatch(/<f32\|f16\|bf16>.*\(default f32\)$/);
  expect(line('warmup')).toMatch(/\(default: a tenth of the steps, rounded down, at most 10\)$/);
  expect(line('prompt')).not.toMatch(/default/);
});

describe('the page and the terminal', () => {
  const inPage = (choices: Partial<RunConfig>): RunConfig =>
    (Object.keys(choices) as ConfigKey[]).reduce<ConfigState>((state, key) => applyPatch(state, { [key]: choices[key] }), {
      config: DEFAULTS,
      touched: new Set(),
    }).config;
  const typed = <K extends ConfigKey>(key: K, choices: Partial<RunConfig>): string[] =>
    fieldOf(key)
      .toFlag(choices[key]!)
      .map((text) => `--${fieldOf(key).flag}=${text}`);
  const inTerminal = (choices: Partial<RunConfig>): RunConfig =>
    parseOptions((Object.keys(choices) as ConfigKey[]).flatMap((key) => typed(key, choices))).config;

  test('give 25 steps the same warm-up', () => {
    expect(inPage({ steps: 25 })).toEqual(inTerminal({ steps: 25 }));
    expect(inPage({ steps: 25 }).warmup).toBe(2);
  });

  test('make the same run from the same choices, in any order', () => {
    const anyChoices = fc.tuple(anyConfig, fc.shuffledSubarray([...CONFIG_KEYS]));
    fc.assert(
      fc.property(anyChoices, ([config, keys]) => {
        const choices = Object.fromEntries(
          keys.filter((key) => typed(key, config).length > 0).map((key) => [key, config[key]]),
        ) as Partial<RunConfig>;
        fc.pre(configFaults(inPage(choices)).length === 0);
        expect(inPage(choices)).toEqual(inTerminal(choices));
      }),
      { numRuns: 300 },
    );
  });
});

test('--columns: names with commas and equals signs, and what is not a map', () => {
  expect(parseOptions(['--columns', 'text=a, b=c']).config.columns).toEqual({ text: 'a, b=c' });
  expect(parseOptions(['--columns', 'instruction=task, input=x,output=The answer']).config.columns).toEqual({
    instruction: 'task',
    input: 'x',
    output: 'The answer',
  });
  for (const text of ['', 'question', 'question=prompt', 'prompt=', 'prompt=a,prompt=b', 'prompt=a,text=b'])
    expect(refusal(`--columns=${text}`)).toMatchObject({ code: 'CONFIG_INVALID', detail: expect.stringContaining('--columns') as string });
});
