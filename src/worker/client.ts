// The page's side of the trainer: it starts the worker, sends commands and hands events on. It keeps no state of a run; the
// stores do.

import { AppError, errorInfo } from '../base/errors';
import type { Command, Event } from './protocol';

/** What the client needs of a Worker, so that a test can stand in for one. */
export interface WorkerPort {
  postMessage(message: Command): void;
  terminate(): void;
  onmessage: ((message: MessageEvent<Event>) => void) | null;
  onerror: ((error: ErrorEvent) => void) | null;
  onmessageerror: ((message: MessageEvent) => void) | null;
}

export interface TrainClient {
  send(command: Command): void;
  /** Ends the worker (and with it every GPU buffer) and starts a fresh one, which holds no device yet. */
  restart(): void;
}

const spawnWorker = (): WorkerPort => new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'trainer' });

/** Starts the worker at once. `receive` gets every event, also of the workers that restart() makes. */
export function createTrainClient(receive: (event: Event) => void, spawn: () => WorkerPort = spawnWorker): TrainClient {
  const fail = (detail: string): void => {
    const error = new AppError('INTERNAL', detail, 'Reload the page. If it happens again, please report it.');
    receive({ type: 'refused', error: errorInfo(error) });
  };
  const start = (): WorkerPort => {
    const port = spawn();
    port.onmessage = (message) => receive(message.data);
    // An uncaught error, or a worker script that could not be loaded (then there is no message).
    port.onerror = (event) => fail(`The training worker stopped: ${event.message || 'its script could not be loaded'}.`);
    port.onmessageerror = () => fail('The training worker sent a message that could not be read.');
    return port;
  };
  let port = start();

  return {
    send: (command) => port.postMessage(command),
    restart() {
      port.terminate();
      port = start();
    },
  };
}
