// The worker that reads strangers' files. The worker that owns the GPU starts it, watches it, and ends it if it is silent.

import { setBound } from '../../base/bounded';
import { OpfsModels } from '../../io/browser/opfs-models';
import { ModelCache } from '../../io/hub/model-cache';
import { PATIENCE_MS, type ReaderCommand } from './protocol';
import { Reading } from './reading';

const reading = new Reading(
  (event, transfer = []) => self.postMessage(event, { transfer: [...transfer] }),
  new ModelCache(new OpfsModels('models')),
);
setBound(reading.bound, { inner: true });

self.addEventListener('message', (message: MessageEvent<ReaderCommand>) => void reading.handle(message.data));
self.postMessage({ type: 'beat', id: null, allow: PATIENCE_MS, late: null });
