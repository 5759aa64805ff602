// For tests in Node: the reader in the same thread, behind the same messages. Events are copied as between workers; commands are not,
// since Node cannot clone a File.

import type { ModelCache } from '../io/hub/model-cache';
import { Reading } from '../worker/reader/reading';
import type { ReaderPort } from '../worker/reader/reader';

export function localReader(models: ModelCache): ReaderPort {
  let ended = false;
  const reading = new Reading((event, transfer = []) => {
    const copy = structuredClone(event, { transfer: [...transfer] });
    queueMicrotask(() => !ended && port.onmessage?.(new MessageEvent('message', { data: copy })));
  }, models);
  const port: ReaderPort = {
    postMessage: (command) => void setTimeout(() => !ended && void reading.handle(command)),
    terminate: () => (ended = true),
    onmessage: null,
    onerror: null,
  };
  return port;
}
