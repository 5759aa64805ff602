// Whole runs on the software adapter: events come in order, observing a run changes nothing, the exported weights are those that were
// evaluated, and the ledger equals the forecast. resume.gpu.test.ts interrupts runs of every kind.

import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Gate, type GateAnswer } from './gate';
import type { RunConfig } from '../config/run-config';
import { nodeLab } from '../testing/node-lab';
import { writeFolder } from '../io/node/output';
import { nodeSource } from '../io/node/source';
import { sumBytes } from '../dispatch/memory';
import { temporaryFolder } from '../testing/tiny-folder';
import {
  checkpointTensors,
  differences,
  openTiny,
  TestHost,
  timeless,
  TINY_CONFIG,
  tinyInputs,
  trainedBytes,
} from '../testing/tiny-session';
import { finish, FOUR_ROWS, wholeRuns } from '../testing/whole-runs';
import { exportTuned } from '../export/run';
import { prepareInputs, type RunInputs } from './prepare';
import type { RunEvent, StepMetrics } from './events';
import { Discarded } from './session-host';

const folder = temporaryFolder('session');
const runs = wholeRuns();
afterAll(() => {
  folder.remove();
  runs.remove();
});

const inputsOf = (config: RunConfig, rows = FOUR_ROWS): Promise<RunInputs> => tinyInputs(folder.path, 'tiny-llama', config, rows);
const { uninterrupted } = runs;

// Compiling kernels in software takes most of this file's time; done here, it does not count toward any test's time.
beforeAll(() => uninterrupted('LISA, state dropped'), 120_000);

describe('what changes nothing in a run', () => {
  test('the runs are not trivial: layers change, losses fall, weights and optimizer state move', async () => {
    const { host, inputs, report } = await uninterrupted('LISA, state parked, two micro-batches a step');
    const layers = report.schedule.map((period) => period.layers);
    expect(new Set(layers.map((l) => l.join())).size).toBe(3);
    expect(host.steps.map((s) => s.activeLayers)).toEqual(host.steps.map(({ step }) => layers[Math.floor((step - 1) / 5)]));
    const parked = [...(await checkpointTensors(host.checkpoints.at(7))).keys()].filter((key) => key.startsWith('parked/'));
    expect(parked.length).toBe(2 * layers[0].filter((l) => !layers[1].includes(l)).length);
    expect(host.steps[11].loss).toBeLessThan(0.5 * host.steps[0].loss);
    expect(inputs.dataset.train.length).toBe(3);
    const before = await checkpointTensors(host.checkpoints.at(11));
    expect(differences(before, await checkpointTensors(host.checkpoints.at(12))).length).toBeGreaterThan(5);
  });

  test('checkpoints, measured updates and samples, greedy or not', async () => {
    const whole = await uninterrupted('LISA, state dropped');
    const same = async (change: Partial<RunConfig>): Promise<{ host: TestHost; updates: readonly unknown[]; samples: string[] }> => {
      const inputs = { ...whole.inputs, config: { ...whole.inputs.config, ...change } };
      const { host, session } = await openTiny(inputs);
      const { report, weights } = await finish(inputs, session, host);
      expect(timeless(host.steps)).toEqual(timeless(whole.host.steps));
      expect(differences(weights, whole.weights)).toEqual([]);
      return { host, updates: report.updates, samples: host.of('sample').map(({ sample }) => sample.when) };
    };
    const silent = await same({ saveEvery: 0, measureUpdates: false, sampleAt: 'ends' });
    expect([...silent.host.checkpoints.files.keys()]).toEqual([12]);
    expect([silent.host.of('moved'), silent.updates]).toEqual([[], []]);
    expect(silent.samples).toEqual(['before', 'after']);
    const warm = await same({ sampleAt: 'log', temperature: 0.8 });
    expect(warm.samples).toEqual(['before', 'during', 'after']);
  });

  test('a run that ends at a step of a sample has no sample in between there, stopped or not', async () => {
    const whole = await uninterrupted('LISA, state dropped');
    for (const steps of [10, 12]) {
      const inputs = { ...whole.inputs, config: { ...whole.inputs.config, steps } };
      const { host, session } = await openTiny(inputs);
      host.onGate = () => (session.state.completed === 10 ? 'stop' : 'go');
      await finish(inputs, session, host);
      expect(host.of('sample').map(({ sample }) => [sample.when, sample.step])).toEqual([
        ['before', 0],
        ['after', 10],
      ]);
    }
  });

  test('a finished run that is resumed takes no step and reports the same', async () => {
    const whole = await uninterrupted('LISA, state dropped');
    const { host, session } = await openTiny(whole.inputs, whole.host.checkpoints.at(12));
    const again = await finish(whole.inputs, session, host);
    expect(host.steps).toEqual([]);
    expect(again.report.evalLoss).toEqual(whole.report.evalLoss);
    expect(again.report.updates).toEqual(whole.report.updates);
    expect(differences(again.weights, whole.weights)).toEqual([]);
  });
});

/** Phases and milestones in order; steps are checked separately because they are reported while the next one is under way. */
const milestones = (events: readonly RunEvent[]): string[] =>
  events
    .filter((event) => event.type !== 'step')
    .map((event) => {
      if (event.type === 'phase') return event.phase;
      if (event.type === 'sample') return `sample ${event.sample.when}`;
      return event.type === 'eval' || event.type === 'checkpoint' || event.type === 'moved' ? `${event.type} ${event.step}` : event.type;
    })
    // Loading and evaluating may report their progress any number of times.
    .filter((name, at, all) => name !== all[at - 1]);

describe('events', () => {
  test('phases, evaluations, checkpoints and samples come in order; every step is told once', async () => {
    const inputs = await inputsOf({ ...TINY_CONFIG, steps: 5, evalEvery: 2, saveEvery: 3 });
    const { host, session } = await openTiny(inputs);
    const { report } = await finish(inputs, session, host);
    expect(milestones(host.events)).toEqual([
      ...['preparing', 'loading', 'prepared', 'evaluating', 'eval 0', 'sampling', 'sample before', 'training'],
      ...['evaluating', 'eval 2', 'training', 'saving', 'checkpoint 3', 'training', 'evaluating', 'eval 4', 'training'],
      ...['moved 5', 'evaluating', 'eval 5', 'saving', 'checkpoint 5', 'sampling', 'sample after', 'done'],
    ]);
    expect(host.steps.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5]);
    for (const { memory, stepMs, tokens, targets, gradNorm } of host.steps) {
      expect(memory.total).toBe(session.forecasts.lisa.total);
      expect(stepMs).toBeGreaterThan(0);
      expect(gradNorm).toBeGreaterThan(0);
      expect(targets).toBe(tokens);
    }
    expect(
      host.of('prepared').map(({ prepared }) => [prepared.firstStep, prepared.modelName, prepared.data.rows, prepared.data.evalRows]),
    ).toEqual([[1, 'tiny-llama', 3, 1]]);
    expect(host.of('done')).toEqual([{ type: 'done', report, stopped: false }]);
    expect(report.evalLoss.map(({ step }) => step)).toEqual([0, 2, 4, 5]);
    expect(host.of('eval').map(({ step, loss }) => ({ step, loss }))).toEqual(report.evalLoss);
    // Loading goes from above 0 to 1 without going back.
    const fractions = host.of('phase').flatMap(({ phase, fraction }) => (phase === 'loading' ? (fraction ?? []) : []));
    expect(fractions.at(-1)).toBe(1);
    expect([...fractions].sort((a, b) => a - b)).toEqual(fractions);
  });

  test('a resumed run is prepared for its next step, and neither evaluates nor samples before it', async () => {
    const whole = await uninterrupted('LISA, state dropped');
    const inputs = { ...whole.inputs, config: { ...whole.inputs.config, saveEvery: 0, evalEvery: 0 } };
    const { host, session } = await openTiny(inputs, whole.host.checkpoints.at(10));
    await finish(inputs, session, host);
    expect(host.of('prepared')[0].prepared.firstStep).toBe(11);
    expect(milestones(host.events)).toEqual([
      'preparing',
      'loading',
      'prepared',
      'sampling',
      'sample during',
      'training',
      'moved 12',
      'evaluating',
      'eval 12',
      'saving',
      'checkpoint 12',
      'sampling',
      'sample after',
      'done',
    ]);
  });
});

test('a pause inside a sample or an evaluation holds it there; what comes of it is the same', async () => {
  const whole = await uninterrupted('LISA, state dropped');
  const inputs = { ...whole.inputs, config: { ...whole.inputs.config, saveEvery: 0, evalEvery: 0 } };
  const { host, session } = await openTiny(inputs, whole.host.checkpoints.at(10));
  const gate = new Gate(false, () => Promise.resolve());
  const paused = new Set<string>();
  host.rest = async (onRest) => {
    const { phase } = host.of('phase').at(-1)!;
    if (paused.has(phase)) return;
    paused.add(phase);
    gate.pause();
    setTimeout(() => gate.continue());
    await gate.rest(onRest);
  };
  const { report } = await finish(inputs, session, host);
  expect(milestones(host.events)).toEqual([
    ...['preparing', 'loading', 'prepared', 'sampling', 'paused', 'sampling', 'sample during', 'training', 'moved 12'],
    ...['evaluating', 'paused', 'evaluating', 'eval 12', 'saving', 'checkpoint 12', 'sampling', 'sample after', 'done'],
  ]);
  expect(report.evalLoss).toEqual(whole.report.evalLoss);
  const after = (of: TestHost): unknown[] => of.of('sample').filter(({ sample }) => sample.when === 'after');
  expect(after(host)).toEqual(after(whole.host));
});

describe('updates', () => {
  // A run in which one layer stays over a switch, and whose last period is cut short.
  test.each(['LISA, state dropped', 'LISA without embedding, head and norm, rows packed'] as const)(
    '%s: how far each layer moved in each period, against the weights in the checkpoints',
    async (name) => {
      const { host, inputs, report } = await uninterrupted(name);
      const weights = async (step: number, layer: number): Promise<Float32Array> => {
        const bytes = (await checkpointTensors(host.checkpoints.at(step))).get(`weights/layer.${layer}`)!;
        return new Float32Array(bytes.buffer);
      };
      const untouched = await openTiny(inputs);
      const start = await trainedBytes(untouched.session);
      untouched.session.close();
      const norm = (values: readonly number[]): number => Math.hypot(...values);
      const moves = host.of('moved');
      expect(moves.map(({ step, period }) => [step, period])).toEqual([
        [5, 0],
        [10, 1],
        [12, 2],
      ]);
      expect(report.updates).toEqual(moves.map(({ period, layers }) => ({ period, layers })));
      for (const { step, period, layers } of moves) {
        expect(layers.map(({ layer }) => layer)).toEqual(report.schedule[period].layers);
        for (const { layer, change } of layers) {
          const after = await weights(step, layer);
          const before = period > 0 ? await weights(5 * period, layer) : new Float32Array(start.get(`layer.${layer}`)!.buffer);
          expect(change).toBeGreaterThan(1e-3);
          expect(change).toBeCloseTo(norm([...after].map((w, i) => w - before[i])) / norm([...before]), 9);
        }
      }
      expect(report.schedule[0].layers.some((layer) => report.schedule[1].layers.includes(layer))).toBe(true);
    },
  );

  test.each(['full', 'LoRA'] as const)('%s has no periods, and nothing is measured', async (name) => {
    const { host, report } = await uninterrupted(name);
    expect(host.of('moved')).toEqual([]);
    expect(report.updates).toEqual([]);
  });
});

describe('the last held-out loss is that of the exported weights', () => {
  test.each(['LISA, state dropped', 'LoRA'] as const)('%s', async (name) => {
    const whole = await uninterrupted(name);
    const { session } = await openTiny(whole.inputs, whole.host.checkpoints.at(12));
    const out = join(folder.path, 'exported', name.replace(/\W+/g, '-'));
    try {
      await writeFolder(out, (await exportTuned(session, 'f32')).files);
    } finally {
      session.close();
    }
    const config = { ...whole.inputs.config, method: 'full' } as const;
    const inputs = await prepareInputs(config, { model: await nodeSource(out), data: FOUR_ROWS, evalData: null });
    const again = await openTiny(inputs);
    again.host.onGate = () => 'stop';
    const { report } = await finish(inputs, again.session, again.host);
    const [last] = whole.report.evalLoss.slice(-1);
    console.info(`${name}: held-out loss ${last.loss} in the run, ${report.evalLoss[0].loss} of its export`);
    expect(Math.abs(report.evalLoss[0].loss - last.loss)).toBeLessThanOrEqual(1e-6 * last.loss);
    expect(last.loss).not.toBeCloseTo(whole.report.evalLoss[0].loss, 1);
  });
});

describe('ends before the last step', () => {
  test('stop keeps what was trained: evaluated, saved, sampled', async () => {
    const whole = await uninterrupted('LISA, state dropped');
    const { host, session } = await openTiny({ ...whole.inputs, config: { ...whole.inputs.config, saveEvery: 0 } });
    host.onGate = () => (session.state.completed === 3 ? 'stop' : 'go');
    const stopped = await finish(whole.inputs, session, host);
    expect(timeless(host.steps)).toEqual(timeless(whole.host.steps.slice(0, 3)));
    expect(host.of('done').map((event) => event.stopped)).toEqual([true]);
    expect(stopped.report.evalLoss.map(({ step }) => step)).toEqual([0, 3]);
    expect(milestones(host.events).slice(-6)).toEqual(
      ['evaluating', 'eval 3', 'saving', 'checkpoint 3', 'sampling', 'sample after', 'done'].slice(-6),
    );
    expect(differences(await checkpointTensors(host.checkpoints.at(3)), await checkpointTensors(whole.host.checkpoints.at(3)))).toEqual([]);
    // And it can be resumed.
    const second = await openTiny(whole.inputs, host.checkpoints.at(3));
    const rest = await finish(whole.inputs, second.session, second.host);
    expect(differences(rest.weights, whole.weights)).toEqual([]);
    expect(rest.report.evalLoss.filter(({ step }) => step !== 3)).toEqual(whole.report.evalLoss);
    // The period in which it stopped is measured again when it ends.
    expect(stopped.report.updates.map(({ period }) => period)).toEqual([0]);
    expect(stopped.report.updates[0].layers).not.toEqual(whole.report.updates[0].layers);
    expect(rest.report.updates).toEqual(whole.report.updates);
  });

  test('discard throws Discarded and reports nothing more, and close frees everything', async () => {
    const { gpu } = await nodeLab();
    const inputs = await inputsOf({ ...TINY_CONFIG, saveEvery: 0 });
    const { host, session } = await openTiny(inputs);
    host.onGate = () => {
      host.isDiscarded = session.state.completed === 2;
      return host.isDiscarded ? 'stop' : 'go';
    };
    await expect(session.run()).rejects.toBeInstanceOf(Discarded);
    expect(host.steps.length).toBe(2);
    expect(host.of('done')).toEqual([]);
    expect(host.checkpoints.files.size).toBe(0);
    session.close();
    expect(session.engine.allocator.reading().liveTotal).toBe(0);
    expect(gpu.fault()).toBeUndefined();
  });

  test('discard while the weights load', async () => {
    const inputs = await inputsOf(TINY_CONFIG);
    const host = new TestHost();
    host.isDiscarded = true;
    await expect(openTiny(inputs, null, host)).rejects.toBeInstanceOf(Discarded);
  });

  // With and without a wait between steps: the second step is under way when the first is found to be bad.
  test.each([1, 0])('weights that become NaN end the run; the checkpoint before stays (save every %i)', async (saveEvery) => {
    const whole = await uninterrupted('LISA, state dropped');
    const inputs = { ...whole.inputs, config: { ...whole.inputs.config, saveEvery, evalEvery: 0 } };
    const { host, session } = await openTiny(inputs);
    const row = inputs.files.table.find(({ local }) => local === 'mlp.down_proj.weight')!;
    const values = await inputs.files.tensor(row);
    let atFour = new Map<string, Float32Array<ArrayBuffer>>();
    const allTensors = async (): Promise<typeof atFour> => {
      const all: typeof atFour = new Map();
      for (const each of inputs.files.table) all.set(each.name, await session.engine.readTensor(each));
      return all;
    };
    host.onGate = async (): Promise<GateAnswer> => {
      if (session.state.completed === 4) {
        atFour = await allTensors();
        await session.engine.writeTensor(row, new Float32Array(values.length).fill(NaN));
      }
      // The step under way has read the NaN. This one would be sound again, but after a bad step none may train or be reported.
      if (session.state.completed === 5) await session.engine.writeTensor(row, values);
      return 'go';
    };
    try {
      await expect(session.run()).rejects.toMatchObject({ code: 'NONFINITE_LOSS', detail: expect.stringContaining('step 5') as string });
      // When a later reading has arrived, the step after it has reported anything that it had to report.
      await session.engine.readTensor(row);
      // The weights are those after the last good step, apart from what this test has put there.
      await session.engine.writeTensor(row, atFour.get(row.name)!);
      const report = await session.endAtLastGood();
      expect([session.lastGoodStep, report.evalLoss.at(-1)?.step]).toEqual([4, 4]);
      expect(await allTensors()).toEqual(atFour);
    } finally {
      session.close();
    }
    expect(host.steps.map(({ step }) => step)).toEqual([1, 2, 3, 4]);
    expect(host.of('done')).toEqual([]);
    expect([...host.checkpoints.files.keys()]).toEqual(saveEvery === 1 ? [1, 2, 3, 4] : []);
    if (saveEvery === 1) {
      expect(session.savedStep).toBe(4);
      expect(differences(await checkpointTensors(host.checkpoints.at(4)), await checkpointTensors(whole.host.checkpoints.at(4)))).toEqual(
        [],
      );
    }
  });
});

describe('memory: forecast, ledger and created buffers are the same bytes', () => {
  test.each(['full', 'lisa', 'lora'] as const)('%s, through evaluation, training, sampling, checkpoints and export', async (method) => {
    const { gpu } = await nodeLab();
    const inputs = await inputsOf({ ...TINY_CONFIG, method, steps: 2, stepsPerPeriod: 1, lisaState: 'park' });
    let created = 0;
    const create = gpu.device.createBuffer.bind(gpu.device);
    gpu.device.createBuffer = (descriptor) => {
      created += descriptor.size;
      return create(descriptor);
    };
    const { host, session } = await openTiny(inputs);
    try {
      const report = await session.run();
      let exported = 0;
      for (const file of (await exportTuned(session, 'f16')).files) for await (const chunk of file.chunks()) exported += chunk.byteLength;
      expect(exported).toBeGreaterThan(0);
      const { peak, peakTotal, live } = session.engine.allocator.reading();
      const forecast = session.forecasts[method];
      console.info(`${method}: ${created} bytes created, ledger ${peakTotal}, forecast ${forecast.total}`);
      expect(peak).toEqual(forecast.bytes);
      expect(live).toEqual(forecast.bytes);
      expect(created).toBe(forecast.total);
      expect(report.memory.peak).toEqual(report.memory.forecast);
      expect(report.memory.peak).toEqual({ ...forecast.bytes, total: sumBytes(forecast.bytes) });
      expect(host.steps.map(({ memory }: StepMetrics) => memory)).toEqual([report.memory.peak, report.memory.peak]);
      expect(gpu.fault()).toBeUndefined();
    } finally {
      gpu.device.createBuffer = create;
      session.close();
    }
  });
});
