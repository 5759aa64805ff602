// The dedicated worker that owns the GPU: the service, on messages.

import { openGpu } from '../gpu/device';
import { guardedFetch } from '../io/browser/guarded-fetch';
import { ModelCache } from '../io/hub/model-cache';
import { OpfsCheckpoints } from '../io/browser/opfs-checkpoints';
import { OpfsFinished } from '../io/browser/opfs-finished';
import { OpfsModels } from '../io/browser/opfs-models';
import { opfsScratch } from '../io/browser/opfs-scratch';
import { OpfsSources } from '../io/browser/opfs-sources';
import { TabLock } from '../io/browser/tab-lock';
import type { Command } from './protocol';
import type { ReaderPort } from './reader/reader';
import { TrainService } from './service';

const service = new TrainService({
  openGpu: (lowPower) => openGpu(navigator.gpu, { powerPreference: lowPower ? 'low-power' : 'high-performance' }),
  storage: {
    checkpoints: new OpfsCheckpoints('checkpoint'),
    sources: new OpfsSources('sources'),
    finished: new OpfsFinished('finished'),
    scratch: opfsScratch('scratch'),
    lock: new TabLock('lisa-studio-run'),
  },
  spawnReader: (): ReaderPort => new Worker(new URL('./reader/reader-worker.ts', import.meta.url), { type: 'module', name: 'reader' }),
  models: new ModelCache(new OpfsModels('models')),
  hub: { client: { fetcher: guardedFetch } },
  post: (event) => self.postMessage(event),
});

self.addEventListener('message', (message: MessageEvent<Command>) => void service.handle(message.data));
