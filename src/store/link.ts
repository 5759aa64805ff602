// The one connection to the training worker: commands go out here, and whoever wants events asks for them here.
// What the events mean is for the stores to say.

import { createTrainClient, type TrainClient } from '../worker/client';
import type { Command, Event } from '../worker/protocol';

let client: TrainClient | null = null;
const listeners = new Set<(event: Event) => void>();

/** Calls back for every event of the worker. Returns the function that ends it. */
export function onEvent(listener: (event: Event) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Starts the worker, once a page. */
export function connect(): void {
  if (client) return;
  client = createTrainClient();
  client.subscribe((event) => listeners.forEach((listener) => listener(event)));
}

/** A fresh worker, which holds no device yet. */
export const restartWorker = (): void => client?.restart();

/** Does nothing before connect(). */
export const send = (command: Command): void => client?.send(command);
