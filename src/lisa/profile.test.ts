import { expect, it } from 'vitest';
import { AppError } from '../base/errors';
import {
  meanNorms,
  probeWeights,
  readProfile,
  standInError,
  useOf,
  writeProfile,
  type ImportanceProfile,
  type ProbeNorms,
} from './profile';

const NORMS: ProbeNorms = {
  settings: { rank: 8, alpha: 16, lr: 1e-3, seed: 1, batchSize: 4, gradAccum: 1, seqLen: 64 },
  steps: [
    { step: 1, loss: 3, update: [1, 0, 2], a: [1, 1, 1], b: [0.1, 0, 0.2] },
    { step: 2, loss: 2.5, update: [3, 0, 2], a: [1, 1, 1], b: [0.3, 0, 0.2] },
  ],
  base: [4, 5, 4],
  merged: [4.1, 5, 4.2],
  full: null,
};
const PROFILE: ImportanceProfile = {
  source: 'lora',
  model: { name: 'tiny', fingerprint: '0123456789abcdef', layers: 3 },
  data: { name: 'rows.jsonl', rows: 10 },
  norms: NORMS,
  steps: 2,
  weights: probeWeights(NORMS),
};

it('p_l is the mean LoRA norm over the mean norm of the weights, with the floor', () => {
  expect(meanNorms(NORMS)).toEqual({ lora: [2, 0, 2], weights: [4, 5, 4] });
  // 0.5, 0, 0.5, and the floor is 0.01 / 3 before the last division.
  const sum = 1 + 0.01 / 3;
  PROFILE.weights.forEach((weight, layer) => expect(weight).toBeCloseTo([0.5, 0.01 / 3, 0.5][layer] / sum, 14));
});

it('measured under full training, that norm is the denominator, and the profile says how far the base was off', () => {
  const full = [
    { step: 1, loss: 3, norms: [4, 5, 2] },
    { step: 2, loss: 2, norms: [4, 6, 2] },
  ];
  const norms = { ...NORMS, full };
  expect(meanNorms(norms).weights).toEqual([4, 5.5, 2]);
  const [a, , c] = probeWeights(norms);
  expect(c / a).toBeCloseTo(2, 12);
  expect(standInError(norms)).toBeCloseTo(0.5, 12);
  expect(standInError(NORMS)).toBeNull();
  expect(JSON.parse(writeProfile({ ...PROFILE, norms }))).toMatchObject({ standInError: 0.5 });
  expect(JSON.parse(writeProfile(PROFILE))).toMatchObject({ denominator: 'norm of the base, standing in for full training' });
});

it('no adapter has moved', () => {
  const still = NORMS.steps.map((step) => ({ ...step, update: [0, 0, 0] }));
  expect(() => probeWeights({ ...NORMS, steps: still })).toThrowError(expect.objectContaining({ code: 'CONFIG_INVALID' }));
});

it('reads what it has written', () => {
  expect(readProfile(writeProfile(PROFILE), 'p.json')).toEqual(PROFILE);
  const painted: ImportanceProfile = {
    source: 'painted',
    model: { name: 'tiny', fingerprint: null, layers: 2 },
    data: null,
    norms: null,
    steps: 0,
    weights: [1, 0],
  };
  expect(readProfile(writeProfile(painted), 'p.json')).toEqual(painted);
  expect(useOf(PROFILE)).toEqual({ source: 'lora', fingerprint: '0123456789abcdef', steps: 2, weights: PROFILE.weights });
});

/** The file with one part replaced; the path's last key is set to `value`. */
function changed(path: string, value: unknown): string {
  const json = JSON.parse(writeProfile(PROFILE)) as Record<string, unknown>;
  const keys = path.split('.');
  let at = json;
  for (const key of keys.slice(0, -1)) at = at[key] as Record<string, unknown>;
  at[keys.at(-1)!] = value;
  return JSON.stringify(json);
}

it.each([
  ['format', 'x', 'not an importance profile'],
  ['version', 2, 'another version'],
  ['source', 'guess', 'source'],
  ['source', 'gradients', 'do not go with'],
  ['model', null, 'model is not an object'],
  ['model.layers', 4, 'weights has 3 numbers for 4 layers'],
  ['model.layers', 1e9, 'model.layers'],
  ['model.fingerprint', null, 'fingerprint'],
  ['model.fingerprint', '../../etc/passwd', 'fingerprint'],
  ['model.name', { toString: 'x' }, 'model.name'],
  ['weights', [0, 0, 0], 'All its weights are zero'],
  ['weights', [1, null, 1], 'weights[1] is not a number'],
  ['weights', [1, -1, 1], 'weights[1] is not a number'],
  ['weights', 'many', 'weights is not a list'],
  ['norms.steps', [], 'norms.steps is empty'],
  ['norms.steps.0.update', [1, 2], 'norms.steps[0].update has 2 numbers for 3 layers'],
  // JSON.stringify writes NaN as null.
  ['norms.steps.1.loss', NaN, 'norms.steps[1].loss is not a number'],
  ['norms.base', [1, 2, NaN], 'norms.base[2] is not a number'],
  ['norms.full', [{ step: 0, loss: 1, norms: [1, 1, 1] }], 'norms.full[0].step'],
  ['norms.settings', 7, 'norms.settings'],
  ['data', [], 'data is not an object'],
  ['steps', 1.5, 'steps is not a whole number'],
])('%s = %j is refused by name', (path, value, detail) => {
  let thrown: unknown;
  try {
    readProfile(changed(path, value), 'p.json');
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(AppError);
  expect((thrown as AppError).code).toBe('CONFIG_INVALID');
  expect((thrown as AppError).detail).toContain('p.json');
  expect((thrown as AppError).detail).toContain(detail);
});

it.each(['', '{', 'null', '[]', '"x"', '{"__proto__":{"format":"lisa-studio importance"}}'])('%s is refused', (text) => {
  expect(() => readProfile(text, 'p.json')).toThrowError(expect.objectContaining({ code: 'CONFIG_INVALID' }));
});
