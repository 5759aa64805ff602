import { expect, test } from 'vitest';
import { Gate } from './gate';

/** A gate that logs its calls, with a pause that takes as long as the test says. */
function gateWithLog(paused: boolean) {
  const log: string[] = [];
  let letPause = (): void => undefined;
  let slow = false;
  const gate = new Gate(
    paused,
    () => {
      log.push('pausing');
      return slow ? new Promise<void>((resolve) => (letPause = resolve)) : Promise.resolve();
    },
    () => log.push('resumed'),
  );
  const ask = (): Promise<void> => gate.ask().then((answer) => void log.push(answer));
  return { gate, log, ask, slowly: () => (slow = true), finishPause: () => letPause() };
}

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

test('open: every step may go, and nothing is announced', async () => {
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
  expect(log).toEqual(['go', 'pausing', 'resumed', 'go', 'go']);
});

test('started paused: step lets one step through and holds the next', async () => {
  const { gate, log, ask } = gateWithLog(true);
  const first = ask();
  await settle();
  gate.step();
  await first;
  expect(log).toEqual(['pausing', 'resumed', 'go']);
  const second = ask();
  await settle();
  expect(log.slice(3)).toEqual(['pausing']);
  gate.step();
  await second;
  expect(log.slice(3)).toEqual(['pausing', 'resumed', 'go']);
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

test('pause takes back a step that was not used', async () => {
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
  expect(log).toEqual(['pausing', 'resumed', 'go']);
});

test.each(['continue', 'step', 'stop', 'discard'] as const)('%s while the pause is still being prepared is not lost', async (order) => {
  const { gate, log, ask, slowly, finishPause } = gateWithLog(true);
  slowly();
  const held = ask();
  await settle();
  gate[order]();
  await settle();
  expect(log).toEqual(['pausing']);
  finishPause();
  await held;
  expect(log).toEqual(order === 'continue' || order === 'step' ? ['pausing', 'resumed', 'go'] : ['pausing', 'stop']);
});

test('stop: no step goes any more, whatever is said later', async () => {
  const { gate, log, ask } = gateWithLog(false);
  gate.stop();
  gate.continue();
  gate.step();
  await ask();
  await ask();
  expect(log).toEqual(['stop', 'stop']);
  expect(gate.discarded).toBe(false);
});

test('stop wakes a paused run without announcing that it goes on', async () => {
  const { gate, log, ask } = gateWithLog(true);
  const held = ask();
  await settle();
  gate.stop();
  await held;
  expect(log).toEqual(['pausing', 'stop']);
});

test('discard is a stop that says so', async () => {
  const { gate, log, ask } = gateWithLog(true);
  const held = ask();
  await settle();
  gate.discard();
  await held;
  expect(gate.discarded).toBe(true);
  expect(log).toEqual(['pausing', 'stop']);
});

test('a pause that fails fails the question', async () => {
  const gate = new Gate(
    true,
    () => Promise.reject(new Error('the step before it went wrong')),
    () => undefined,
  );
  await expect(gate.ask()).rejects.toThrow('the step before it went wrong');
});
