// The dedicated worker that owns the GPU: the service, on messages.

import { openGpu } from '../gpu/device';
import { OpfsCheckpoints } from '../io/opfs-checkpoints';
import { OpfsSources } from '../io/opfs-sources';
import type { Command } from './protocol';
import { TrainService } from './service';

const service = new TrainService({
  openGpu: () => openGpu(navigator.gpu),
  storage: { checkpoints: new OpfsCheckpoints('checkpoint'), sources: new OpfsSources('sources') },
  post: (event, transfer = []) => self.postMessage(event, { transfer }),
});

self.addEventListener('message', (message: MessageEvent<Command>) => void service.handle(message.data));
