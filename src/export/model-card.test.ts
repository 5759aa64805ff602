import { expect, test } from 'vitest';
import { DEFAULTS, type RunConfig } from '../config/run-config';
import { MEMORY_CATEGORIES } from '../dispatch/memory';
import { modelCard, type ModelCardFacts } from './model-card';
import type { RunReport } from '../train/events';

const totals = (total: number): RunReport['memory']['peak'] =>
  ({ ...Object.fromEntries(MEMORY_CATEGORIES.map((name) => [name, 0])), total }) as unknown as RunReport['memory']['peak'];

const report: RunReport = {
  method: 'lisa',
  device: { description: 'A `GPU` | card' } as unknown as RunReport['device'],
  kernels: 'matmul register, attention register',
  schedule: [
    { period: 0, firstStep: 1, layers: [3, 7] },
    { period: 1, firstStep: 6, layers: [0, 2] },
    { period: 2, firstStep: 11, layers: [1, 4] },
  ],
  memory: { forecast: totals(45e6), peak: totals(44.5e6), fullForecast: totals(1), loraForecast: totals(1) },
  parameters: 1000,
  trainable: 100,
  tokensPerSecond: 12.3,
  updates: [],
  evalLoss: [
    { step: 0, loss: 3.5 },
    { step: 10, loss: 3.25, weights: 'bf16' },
  ],
};
const facts: ModelCardFacts = {
  base: 'HuggingFaceTB/SmolLM2-135M',
  commit: 'c0ffee'.padEnd(40, '0'),
  config: DEFAULTS,
  data: { name: 'my.jsonl', rows: 90, evalRows: 10 },
  report,
  dtype: 'bf16',
  tied: true,
};

test('a quantised base: the losses of the run and of the files are told apart', () => {
  const own: RunReport['evalLoss'] = report.evalLoss.map(({ step, loss }) => ({ step, loss }));
  const of = (config: Partial<RunConfig>, evalLoss = own): string =>
    modelCard({ ...facts, report: { ...report, evalLoss }, config: { ...DEFAULTS, ...config }, dtype: 'f32' });
  const both = of({ weightStorage: 'int8' }, [...own, { step: 10, loss: 3.125, weights: 'f32' }]);
  expect(both).toContain(
    '3.5000 before, 3.2500 after step 10 (nats a target, of the run, in which weights that did not train were stored in 8 bits)',
  );
  expect(both).toContain('held-out loss 3.1250 of these files, in f32');
  expect(of({ weightStorage: 'int8' })).toContain('the held-out loss of these files was not measured');
  expect(of({ weightStorage: 'int4', method: 'lora' })).toContain('stored in 4 bits');
  expect(of({ weightStorage: 'int8', method: 'full' })).not.toContain('stored in');
  expect(of({})).not.toContain('stored in');
});

const frontMatter = (card: string): string[] => {
  const lines = card.split('\n');
  expect(lines[0]).toBe('---');
  return lines.slice(1, lines.indexOf('---', 1));
};

test('names base, method, settings, data, periods, memory and losses', () => {
  const card = modelCard(facts);
  expect(frontMatter(card)).toEqual([
    'library_name: transformers',
    'pipeline_tag: text-generation',
    'base_model: "HuggingFaceTB/SmolLM2-135M"',
    'base_model_relation: finetune',
    'tags:',
    '  - lisa-studio',
    '  - webgpu',
    '  - lisa',
  ]);
  for (const text of [
    `base model: \`HuggingFaceTB/SmolLM2-135M\`, commit c0ffee${'0'.repeat(34)}`,
    'data: `my.jsonl`, 90 rows to train on, 10 held out',
    'learning rate 0.0005, cosine, warm-up 10 steps',
    'held-out loss 3.5000 before, 3.2500 after step 10 (nats a target, of the weights in bf16)',
    '44.5 MB measured, 45.0 MB forecast',
    'from step 1: 3 7\nfrom step 6: 0 2\n```',
    'AutoModelForCausalLM.from_pretrained(folder)',
  ])
    expect(card).toContain(text);
  // The run ended at step 10: the third period never began.
  expect(card).not.toContain('from step 11');
});

test('a local folder is no base_model of the hub; a revision is no part of its id', () => {
  expect(modelCard({ ...facts, base: 'my model' })).not.toContain('base_model:');
  expect(modelCard({ ...facts, base: 'org/name@v1' })).toContain('base_model: "org/name"');
});

test('names that others chose stay text', () => {
  const name = 'x`\n---\n# <img src=x onerror=alert(1)>\n[a](javascript:b)';
  const card = modelCard({ ...facts, base: name, data: { ...facts.data, name } });
  expect(frontMatter(card).some((line) => line.startsWith('base_model'))).toBe(false);
  expect(card.split('\n').filter((line) => line === '---').length).toBe(2);
  expect(
    card
      .split('\n')
      .filter((line) => line.includes('<img'))
      .every((line) => /^- (base model|data): `` .* ``/.test(line)),
  ).toBe(true);
  expect(card).toContain('`` A `GPU` | card ``');
});

test('a loss of other weights than those of the files is not called theirs', () => {
  expect(modelCard({ ...facts, dtype: 'f16' })).toContain('of the weights before they were rounded');
});

test('without held-out rows it says so, and other methods have no layers to list', () => {
  const card = modelCard({ ...facts, config: { ...DEFAULTS, method: 'lora' }, report: { ...report, schedule: [], evalLoss: [] } });
  expect(card).toContain('no held-out loss was measured');
  expect(card).toContain('rank 16, α 32');
  expect(card).not.toContain('Layers that trained');
  expect(card).toContain('PeftModel');
});
