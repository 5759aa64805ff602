// Faults of the GPU and of the browser's storage, injected into the page's worker from outside: the built worker script
// is served with a few lines in front. The product itself has no switch for them.

import type { Page, Worker } from '@playwright/test';

/** What the lines in front leave in the worker's global scope. */
interface FaultScope {
  /** Resolves the device's `lost` promise, as a GPU crash would. */
  loseDevice?: (message: string) => void;
  /** Buffers whose label contains this text cannot be allocated. */
  noMemoryFor?: string;
  /** Writes to files fail as they do when the quota is used up. */
  storageFull?: boolean;
}

const PREFIX = `
{
  const scope = (self.faults = {});
  const { requestDevice } = GPUAdapter.prototype;
  GPUAdapter.prototype.requestDevice = async function (...args) {
    const device = await requestDevice.apply(this, args);
    const lost = new Promise((resolve) => (scope.loseDevice = (message) => resolve({ reason: 'unknown', message })));
    Object.defineProperty(device, 'lost', { value: lost });
    return device;
  };
  let refused = false;
  const { createBuffer, popErrorScope } = GPUDevice.prototype;
  GPUDevice.prototype.createBuffer = function (descriptor) {
    refused = scope.noMemoryFor !== undefined && (descriptor.label ?? '').includes(scope.noMemoryFor);
    return createBuffer.call(this, descriptor);
  };
  // The allocator asks for the out-of-memory scope first.
  GPUDevice.prototype.popErrorScope = function () {
    const real = popErrorScope.call(this);
    if (!refused) return real;
    refused = false;
    return real.then(() => new GPUOutOfMemoryError('Not enough memory left.'));
  };
  const { write } = FileSystemSyncAccessHandle.prototype;
  FileSystemSyncAccessHandle.prototype.write = function (...args) {
    if (scope.storageFull) throw new DOMException('The quota has been exceeded.', 'QuotaExceededError');
    return write.apply(this, args);
  };
}
`;

/** Before the page is opened. */
export async function withFaults(page: Page): Promise<void> {
  await page.route(/\/assets\/worker-[^/]*\.js$/, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: PREFIX + (await response.text()) });
  });
}

/** The worker that trains; another one makes forecasts. */
function trainer(page: Page): Promise<Worker> {
  const trains = (worker: Worker): boolean => /\/assets\/worker-[^/]*\.js$/.test(worker.url());
  const running = page.workers().find(trains);
  return running ? Promise.resolve(running) : page.waitForEvent('worker', trains);
}

export async function loseDevice(page: Page, message = 'the GPU was reset'): Promise<void> {
  await (await trainer(page)).evaluate((text) => (self as unknown as { faults: FaultScope }).faults.loseDevice?.(text), message);
}

export async function setFault(page: Page, fault: Pick<FaultScope, 'noMemoryFor' | 'storageFull'>): Promise<void> {
  await (await trainer(page)).evaluate((given) => void Object.assign((self as unknown as { faults: object }).faults, given), fault);
}
