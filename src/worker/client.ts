// The page's side of the trainer: starts the worker, sends commands, hands out events. It keeps no state
// of a run; the stores do.

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
  /** Returns the function that ends the subscription. */
  subscribe(listener: (event: Event) => void): () => void;
  /** Ends the worker (and with it every GPU buffer) and starts a fresh one, which holds no device yet. */
  restart(): void;
  close(): void;
}

const spawnWorker = (): WorkerPort => new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'trainer' });

export function createTrainClient(spawn: () => WorkerPort = spawnWorker): TrainClient {
  const listeners = new Set<(event: Event) => void>();
  const emit = (event: Event): void => listeners.forEach((listener) => listener(event));
  const fail = (detail: string): void => {
    const error = new AppError('INTERNAL', detail, 'Reload the page. If it happens again, please report it.');
    emit({ type: 'refused', error: errorInfo(error) });
  };
  const start = (): WorkerPort => {
    const port = spawn();
    port.onmessage = (message) => emit(message.data);
    // An uncaught error, or a worker script that could not be loaded (then there is no message).
    port.onerror = (event) => fail(`The training worker stopped: ${event.message || 'its script could not be loaded'}.`);
    port.onmessageerror = () => fail('The training worker sent a message that could not be read.');
    return port;
  };
  let port: WorkerPort | null = start();

  return {
    send(command) {
      if (!port) throw new AppError('INTERNAL', 'The training worker is closed.', 'Reload the page.');
      port.postMessage(command);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    restart() {
      port?.terminate();
      port = start();
    },
    close() {
      port?.terminate();
      port = null;
      listeners.clear();
    },
  };
}
