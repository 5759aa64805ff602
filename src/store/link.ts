// The one connection to the training worker: commands go out here, and every event of the worker goes to one receiver.

import { createTrainClient, type TrainClient } from '../worker/client';
import type { Command, Event } from '../worker/protocol';

let client: TrainClient | null = null;

/** Starts the worker; called once per page. */
export function connect(receive: (event: Event) => void): void {
  client ??= createTrainClient(receive);
}

/** A fresh worker, which holds no device yet. */
export const restartWorker = (): void => client?.restart();

/** Does nothing before connect(). */
export const send = (command: Command): void => client?.send(command);
