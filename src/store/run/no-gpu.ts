// Without a GPU the page shows at once what it would do with one: the recorded run. Once a page; whoever goes back to the set-up
// stays there.

import { useDeviceStore } from './device';
import { setView, useRunStore } from './run';

/** Whether nothing but another browser, or another setting of this one, helps. */
export function lacksWebGpu(): boolean {
  const { device } = useDeviceStore.getState();
  return device.status === 'unavailable' && (device.error.code === 'NO_WEBGPU' || device.error.code === 'NO_ADAPTER');
}

function showReplay(): void {
  const { view, run } = useRunStore.getState();
  if (view === 'setup' && run === null) setView('replay');
}

/** Returns the function that ends it. `gpu`: whether the browser has WebGPU at all; then only the device's first answer tells. */
export function watchNoGpu(gpu: boolean): () => void {
  if (!gpu) {
    showReplay();
    return () => undefined;
  }
  const end = useDeviceStore.subscribe(({ device }) => {
    if (device.status === 'opening') return;
    end();
    if (lacksWebGpu()) showReplay();
  });
  return end;
}
