// The proof finds a single changed bit in a weight that nothing should have touched.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunConfig } from '../config/run-config';
import type { ParameterRow } from '../model/types';
import { temporaryFolder } from '../testing/tiny-folder';
import { differences, openTiny, TestHost, textRows, timeless, TINY_CONFIG, tinyInputs, trainedBytes } from '../testing/tiny-session';
import type { CheckpointReader } from '../io/formats/checkpoints';
import type { RunInputs } from './prepare';
import type { Session } from './session';

const folder = temporaryFolder('proof');
afterAll(() => folder.remove());

const CONFIG: RunConfig = { ...TINY_CONFIG, steps: 9, stepsPerPeriod: 3, evalSplit: 0, sampleTokens: 1, sampleAt: 'ends' };
const inputsOf = (change: Partial<RunConfig> = {}): Promise<RunInputs> =>
  tinyInputs(folder.path, 'tiny-llama', { ...CONFIG, ...change }, textRows(4));

/** Flips the lowest bit of one weight on the GPU. */
async function tamper({ engine, inputs }: Session, fits: (row: ParameterRow) => boolean): Promise<void> {
  const row = inputs.files.table.find(fits)!;
  const values = await engine.readTensor(row);
  new Uint32Array(values.buffer)[Math.floor(values.length / 2)] ^= 1;
  await engine.writeTensor(row, values);
}

interface Visit {
  /** Completed steps. */
  readonly at: number;
  readonly before?: (session: Session) => Promise<void>;
}

/** A run that is asked for the proof at these steps, after `before`. */
async function verified(inputs: RunInputs, visits: readonly Visit[], from: CheckpointReader | null = null) {
  const host = new TestHost();
  host.proof = 'on request';
  const { session } = await openTiny(inputs, from, host);
  const todo = [...visits];
  host.onGate = async () => {
    if (session.state.completed !== todo[0]?.at) return 'go';
    await session.drain();
    await todo.shift()?.before?.(session);
    return 'verify';
  };
  await session.run();
  const weights = await trainedBytes(session);
  session.close();
  return { host, weights, session, proofs: host.of('verified').map(({ step, frozen, changed }) => ({ step, frozen, changed })) };
}

let inputs: RunInputs;
let plain: Awaited<ReturnType<typeof verified>>;
beforeAll(async () => {
  inputs = await inputsOf();
  plain = await verified(
    inputs,
    [0, 2, 3, 4, 7].map((at) => ({ at })),
  );
}, 120_000);

/** Layers that are frozen in a period (from 0). */
const frozenIn = (period: number): string[] =>
  [0, 1, 2, 3].filter((layer) => !plain.session.schedule[period].layers.includes(layer)).map((layer) => `layer.${layer}`);

describe('LISA', () => {
  test('an honest run: all layers that are not in training are unchanged, even those that trained before', () => {
    expect(plain.proofs).toEqual([
      { step: 0, frozen: ['layer.0', 'layer.1', 'layer.2', 'layer.3'], changed: [] },
      { step: 2, frozen: frozenIn(0), changed: [] },
      // Between two periods the layers that have just trained are not frozen yet.
      { step: 3, frozen: frozenIn(0), changed: [] },
      { step: 4, frozen: frozenIn(1), changed: [] },
      { step: 7, frozen: frozenIn(2), changed: [] },
    ]);
    const left = plain.session.schedule[0].layers.filter((layer) => frozenIn(1).includes(`layer.${layer}`));
    expect(left.length, 'a layer that trained and left').toBeGreaterThan(0);
  });

  test('keeping the proof and asking for it change nothing in the run', async () => {
    const { host, session } = await openTiny(inputs);
    await session.run();
    expect(timeless(host.steps)).toEqual(timeless(plain.host.steps));
    expect(differences(await trainedBytes(session), plain.weights)).toEqual([]);
    session.close();
  });

  test('one bit of a layer that never trained is found, where updates are measured and where they are not', async () => {
    const name = frozenIn(0)[0];
    for (const measureUpdates of [true, false]) {
      const before = (session: Session): Promise<void> => tamper(session, (row) => row.block === name && row.role !== 'norm');
      const { proofs } = await verified(await inputsOf({ measureUpdates }), [{ at: 1 }, { at: 2, before }]);
      expect(proofs.map(({ changed }) => changed)).toEqual([[], [name]]);
    }
  });

  test('one bit of a layer that has trained and left is found, where updates are measured and where they are not', async () => {
    const layer = plain.session.schedule[0].layers.find((l) => frozenIn(1).includes(`layer.${l}`))!;
    for (const measureUpdates of [true, false]) {
      const before = (session: Session): Promise<void> => tamper(session, (row) => row.layer === layer && row.role === 'norm');
      const { proofs } = await verified(await inputsOf({ measureUpdates }), [{ at: 4 }, { at: 5, before }]);
      expect(proofs.map(({ changed }) => changed)).toEqual([[], [`layer.${layer}`]]);
    }
  });

  test('after a resume weights are compared with those of the checkpoint', async () => {
    const from = plain.host.checkpoints.at(5);
    expect((await verified(inputs, [{ at: 5 }, { at: 7 }], from)).proofs).toEqual([
      { step: 5, frozen: frozenIn(1), changed: [] },
      { step: 7, frozen: frozenIn(2), changed: [] },
    ]);
    const [name] = frozenIn(1);
    const before = (session: Session): Promise<void> => tamper(session, (row) => row.block === name);
    expect((await verified(inputs, [{ at: 5, before }], from)).proofs.map(({ changed }) => changed)).toEqual([[name]]);
  });

  test('embedding and norm are included if they do not train', async () => {
    const off = await inputsOf({ alwaysOn: { embedding: false, head: false, norm: false } });
    const before = (session: Session): Promise<void> => tamper(session, (row) => row.block === 'embedding');
    const { proofs, session } = await verified(off, [{ at: 1 }, { at: 2, before }]);
    const layers = [0, 1, 2, 3].filter((layer) => !session.schedule[0].layers.includes(layer)).map((layer) => `layer.${layer}`);
    expect([...proofs[0].frozen].sort()).toEqual(
      ['embedding', 'head', 'norm', ...layers].filter((name) => session.engine.plan.buffers.blocks.has(name as 'head')).sort(),
    );
    expect(proofs.map(({ changed }) => changed)).toEqual([[], ['embedding']]);
  });

  test('asked for after every period, a difference ends the run', async () => {
    const host = new TestHost();
    host.proof = 'every period';
    const { session } = await openTiny(inputs, null, host);
    const [name] = frozenIn(1);
    host.onGate = async (): Promise<'go'> => {
      if (session.state.completed === 4) await tamper(session, (row) => row.block === name);
      return 'go';
    };
    await expect(session.run()).rejects.toMatchObject({
      code: 'INTERNAL',
      detail: `After step 6, frozen weights have changed: ${name}.`,
    });
    session.close();
    expect(host.of('verified').map(({ step, changed }) => [step, changed])).toEqual([
      [3, []],
      [6, [name]],
    ]);
  });
});

test('LoRA: every block of the base model', async () => {
  const before = (session: Session): Promise<void> => tamper(session, (row) => row.block === 'layer.2');
  const { proofs, session } = await verified(await inputsOf({ method: 'lora' }), [{ at: 1 }, { at: 2, before }]);
  expect(proofs[0].frozen).toEqual([...session.engine.plan.buffers.blocks.keys()]);
  expect(proofs.map(({ changed }) => changed)).toEqual([[], ['layer.2']]);
});

test('full: nothing is frozen', async () => {
  expect((await verified(await inputsOf({ method: 'full' }), [{ at: 1 }])).proofs).toEqual([{ step: 1, frozen: [], changed: [] }]);
});
