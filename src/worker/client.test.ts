import { describe, expect, it } from 'vitest';
import { createTrainClient, type WorkerPort } from './client';
import type { Command, Event } from './protocol';

function fakePorts() {
  const made: (WorkerPort & { sent: Command[]; ended: boolean })[] = [];
  const spawn = (): WorkerPort => {
    const port = {
      sent: [] as Command[],
      ended: false,
      onmessage: null,
      onerror: null,
      onmessageerror: null,
      postMessage(message: Command) {
        port.sent.push(message);
      },
      terminate() {
        port.ended = true;
      },
    };
    made.push(port);
    return port;
  };
  return { made, spawn };
}

const message = (event: Event) => ({ data: event }) as MessageEvent<Event>;

describe('createTrainClient', () => {
  it('sends commands and hands every event on', () => {
    const { made, spawn } = fakePorts();
    const seen: Event[] = [];
    const client = createTrainClient((event) => seen.push(event), spawn);
    client.send({ type: 'open', base: 'http://localhost/' });
    expect(made[0]?.sent).toEqual([{ type: 'open', base: 'http://localhost/' }]);
    const event: Event = { type: 'run', runId: 'a', event: { type: 'checkpoint', step: 3 } };
    made[0]?.onmessage?.(message(event));
    expect(seen).toEqual([event]);
  });

  it('turns a dead worker into a refusal', () => {
    const { made, spawn } = fakePorts();
    const seen: Event[] = [];
    createTrainClient((event) => seen.push(event), spawn);
    made[0]?.onerror?.({ message: '' } as ErrorEvent);
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatchObject({ type: 'refused', error: { code: 'INTERNAL' } });
  });

  it('restart ends the old worker and talks to the new one', () => {
    const { made, spawn } = fakePorts();
    const seen: Event[] = [];
    const client = createTrainClient((event) => seen.push(event), spawn);
    client.restart();
    client.send({ type: 'open', base: 'http://localhost/' });
    expect(made[0]?.ended).toBe(true);
    expect(made[0]?.sent).toEqual([]);
    expect(made[1]?.sent).toEqual([{ type: 'open', base: 'http://localhost/' }]);
    const event: Event = { type: 'speed', flopsPerSecond: 1 };
    made[1]?.onmessage?.(message(event));
    expect(seen).toEqual([event]);
  });
});
