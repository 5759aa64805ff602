// The proof holds for what it is about, and fails for what it would have to find.

import { afterAll, expect, test, vi } from 'vitest';
import type { RunConfig } from '../config/run-config';
import { Engine } from '../engine/engine';
import { AppError } from '../base/errors';
import { nodeLab } from '../testing/node-lab';
import { temporaryFolder } from '../testing/tiny-folder';
import { textRows, tinyInputs, TINY_CONFIG } from '../testing/tiny-session';
import { proveRun, type ProveHost } from './prove';

const folder = temporaryFolder('prove');
afterAll(() => folder.remove());

const HOST: ProveHost = { check: () => Promise.resolve(), progress: () => undefined };
const CONFIG: RunConfig = { ...TINY_CONFIG, method: 'lisa', lisaLayers: 2 };

test.each<[string, 'tiny-llama' | 'tiny-gpt2', Partial<RunConfig>]>([
  ['as published', 'tiny-llama', {}],
  ['GPT-2, embedding by rows, clipped by layer', 'tiny-gpt2', { lisaEmbedding: 'rows', lisaHead: 'rows', gradClipMode: 'block' }],
  [
    'adaptive, embedding drawn, 8-bit state, recomputed',
    'tiny-llama',
    { lisaSampler: 'weighted', lisaAdapt: 'gradients', lisaEmbedding: 'sampled', optimizerState: 'int8', recompute: 'layer' },
  ],
])('%s: every line holds', async (_, fixture, changes) => {
  const { gpu } = await nodeLab();
  const lines = await proveRun(gpu, await tinyInputs(folder.path, fixture, { ...CONFIG, ...changes }, textRows(30)), HOST);
  for (const { claim, holds, figures } of lines) expect(holds, `${claim}: ${figures}`).toBe(true);
  expect(lines).toHaveLength(6);
});

test('tensors that should train and do not change are found by name', async () => {
  const { gpu } = await nodeLab();
  const inputs = await tinyInputs(folder.path, 'tiny-llama', { ...CONFIG, lr: 1e-30 }, textRows(30));
  // Updates so small that no float changes.
  const lines = await proveRun(gpu, inputs, HOST);
  expect(lines.map(({ holds }) => holds)).toEqual([true, true, false, true, true, true]);
  expect(lines[2].figures).toMatch(/unchanged: model\./);
});

test('where full training does not fit, it is shown on fewer layers, and said', async () => {
  const { gpu } = await nodeLab();
  const inputs = await tinyInputs(folder.path, 'tiny-llama', CONFIG, textRows(30));
  const create = Engine.create.bind(Engine);
  const spy = vi.spyOn(Engine, 'create').mockImplementation((on, input, options) => {
    if (input.method === 'full' && input.shape.layers > 2) throw new AppError('GPU_OOM', 'full', '');
    return create(on, input, options);
  });
  try {
    const lines = await proveRun(gpu, inputs, HOST);
    expect(lines[5].holds).toBe(true);
    expect(lines[5].figures).toContain('the lowest 2 of 4 layers');
  } finally {
    spy.mockRestore();
  }
});
