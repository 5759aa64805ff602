import { describe, expect, test } from 'vitest';
import { Gate } from './gate';

/** A gate that logs its calls, with a pause that takes as long as the test says. */
function gateWithLog(paused: boolean) {
  const log: string[] = [];
  let letPause = (): void => undefined;
  let slow = false;
  const gate = new Gate(paused, () => {
    log.push('pausing');
    return slow ? new Promise<void>((resolve) => (letPause = resolve)) : Promise.resolve();
  });
  const ask = (): Promise<void> => gate.ask().then((answer) => void log.push(answer));
  return { gate, log, ask, slowly: () => (slow = true), finishPause: () => letPause() };
}

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

test('open: every step may go, and nothing pauses', async () => {
  const { log, ask } = gateWithLog(false);
  await ask();
  await ask();
  expect(log).toEqual(['go', 'go']);
});

test('pause holds the next step until continue', async () => {
  const { gate, log, ask } = gateWithLog(false);
  await ask();
  gate.pause();
  const held = ask();
  await settle();
  expect(log).toEqual(['go', 'pausing']);
  gate.continue();
  await held;
  await ask();
  expect(log).toEqual(['go', 'pausing', 'go', 'go']);
});

test('started paused: step lets one step through and holds the next', async () => {
  const { gate, log, ask } = gateWithLog(true);
  const first = ask();
  await settle();
  gate.step();
  await first;
  expect(log).toEqual(['pausing', 'go']);
  const second = ask();
  await settle();
  expect(log.slice(2)).toEqual(['pausing']);
  gate.step();
  await second;
  expect(log.slice(2)).toEqual(['pausing', 'go']);
});

test('step while running: one more step, then a pause', async () => {
  const { gate, log, ask } = gateWithLog(false);
  gate.step();
  await ask();
  const held = ask();
  await settle();
  expect(log).toEqual(['go', 'pausing']);
  gate.continue();
  await held;
});

test('pause cancels a step that was not used', async () => {
  const { gate, log, ask } = gateWithLog(false);
  gate.step();
  gate.pause();
  const held = ask();
  await settle();
  expect(log).toEqual(['pausing']);
  gate.stop();
  await held;
  expect(log).toEqual(['pausing', 'stop']);
});

test('pause while paused changes nothing', async () => {
  const { gate, log, ask } = gateWithLog(true);
  const held = ask();
  await settle();
  gate.pause();
  await settle();
  expect(log).toEqual(['pausing']);
  gate.continue();
  await held;
  expect(log).toEqual(['pausing', 'go']);
});

const ORDERS = {
  continue: { give: (gate) => gate.continue(), answer: 'go' },
  step: { give: (gate) => gate.step(), answer: 'go' },
  stop: { give: (gate) => gate.stop(), answer: 'stop' },
  discard: { give: (gate) => gate.discard(), answer: 'stop' },
  save: { give: (gate) => gate.want('save'), answer: 'save' },
  verify: { give: (gate) => gate.want('verify'), answer: 'verify' },
} satisfies Record<string, { give: (gate: Gate) => void; answer: string }>;

test.each(Object.entries(ORDERS))('%s while the pause is still being prepared is not lost', async (_, { give, answer }) => {
  const { gate, log, ask, slowly, finishPause } = gateWithLog(true);
  slowly();
  const held = ask();
  await settle();
  give(gate);
  await settle();
  expect(log).toEqual(['pausing']);
  finishPause();
  await held;
  expect(log).toEqual(['pausing', answer]);
});

test('stop: no further step may run, whatever is asked later', async () => {
  const { gate, log, ask } = gateWithLog(false);
  gate.stop();
  gate.continue();
  gate.step();
  await ask();
  await ask();
  expect(log).toEqual(['stop', 'stop']);
  expect(gate.discarded).toBe(false);
});

test('stop wakes a paused run', async () => {
  const { gate, log, ask } = gateWithLog(true);
  const held = ask();
  await settle();
  gate.stop();
  await held;
  expect(log).toEqual(['pausing', 'stop']);
});

test('discard is a stop, and the gate reports it', async () => {
  const { gate, log, ask } = gateWithLog(true);
  const held = ask();
  await settle();
  gate.discard();
  await held;
  expect(gate.discarded).toBe(true);
  expect(log).toEqual(['pausing', 'stop']);
});

test('save comes before the next step, once, and the step after it runs', async () => {
  const { gate, log, ask } = gateWithLog(false);
  gate.want('save');
  gate.want('save');
  for (let i = 0; i < 3; i++) await ask();
  expect(log).toEqual(['save', 'go', 'go']);
});

test('save while paused is answered at once, and the run is paused again after it', async () => {
  const { gate, log, ask } = gateWithLog(true);
  const first = ask();
  await settle();
  gate.want('save');
  await first;
  const second = ask();
  await settle();
  expect(log).toEqual(['pausing', 'save', 'pausing']);
  gate.step();
  await second;
  expect(log).toEqual(['pausing', 'save', 'pausing', 'go']);
});

test('save and verify are answered in the order in which they were asked for', async () => {
  const { gate, log, ask } = gateWithLog(true);
  const first = ask();
  await settle();
  // The first wakes the session; the second comes before it asks again.
  gate.want('verify');
  gate.want('save');
  await first;
  await ask();
  expect(log).toEqual(['pausing', 'verify', 'save']);
});

test('a step that was asked for before a save is still one step', async () => {
  const { gate, log, ask } = gateWithLog(false);
  gate.step();
  gate.want('save');
  await ask();
  await ask();
  const held = ask();
  await settle();
  expect(log).toEqual(['save', 'go', 'pausing']);
  gate.stop();
  await held;
});

test('pause while a save is under way holds the step after it', async () => {
  const { gate, log, ask } = gateWithLog(false);
  gate.want('save');
  await ask();
  gate.pause();
  const held = ask();
  await settle();
  expect(log).toEqual(['save', 'pausing']);
  gate.continue();
  await held;
  expect(log).toEqual(['save', 'pausing', 'go']);
});

test.each(['stop', 'discard'] as const)('%s goes before a save that waits', async (order) => {
  const { gate, log, ask } = gateWithLog(false);
  gate.want('save');
  gate[order]();
  await ask();
  await ask();
  expect(log).toEqual(['stop', 'stop']);
});

test('a pause that fails fails the question', async () => {
  const gate = new Gate(true, () => Promise.reject(new Error('the step before it went wrong')));
  await expect(gate.ask()).rejects.toThrow('the step before it went wrong');
});

describe('a rest inside long work between two steps', () => {
  const resting = (gate: Gate): { log: string[]; over: Promise<void> } => {
    const log: string[] = [];
    return { log, over: gate.rest(() => log.push('rests')).then(() => void log.push('over')) };
  };

  test('there is none without a pause, nor while a run that starts paused is evaluated', async () => {
    for (const paused of [false, true]) {
      const { log, over } = resting(new Gate(paused, () => Promise.resolve()));
      await over;
      expect(log).toEqual(['over']);
    }
  });

  test.each(Object.entries(ORDERS))('%s ends it', async (_, { give }) => {
    const gate = new Gate(false, () => Promise.resolve());
    gate.pause();
    const { log, over } = resting(gate);
    await settle();
    expect(log).toEqual(['rests']);
    give(gate);
    await over;
    expect(log).toEqual(['rests', 'over']);
  });

  test('a pause that follows at once keeps it', async () => {
    const gate = new Gate(false, () => Promise.resolve());
    gate.pause();
    const { log } = resting(gate);
    gate.continue();
    gate.pause();
    await settle();
    expect(log).toEqual(['rests']);
  });

  test('an errand that was done leaves the run paused', async () => {
    const { gate, log, ask } = gateWithLog(false);
    gate.pause();
    const { over } = resting(gate);
    gate.want('save');
    await over;
    await ask();
    void ask();
    await settle();
    expect(log).toEqual(['save', 'pausing']);
  });
});
