// The service worker: after the first visit the page opens without a network. A newer version is offered, and taken over when the
// person says so.

import { create } from 'zustand';

/** A newer version that waits. */
export const useUpdate = create<{ readonly waiting: ServiceWorker | null }>(() => ({ waiting: null }));

/** `npm start` serves the newest build by itself; there, a stored one would only be older. */
const SERVED_HERE = new Set(['localhost', '127.0.0.1', '[::1]']);

export async function watchOffline(): Promise<void> {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator) || SERVED_HERE.has(location.hostname)) return;
  try {
    const registration = await navigator.serviceWorker.register('./service-worker.js', { scope: './' });
    const look = (): void => {
      // The very first version waits for nobody.
      if (registration.waiting && navigator.serviceWorker.controller) useUpdate.setState({ waiting: registration.waiting });
    };
    look();
    registration.addEventListener('updatefound', () => registration.installing?.addEventListener('statechange', look));
  } catch {
    // Without it the page works as before, but not offline.
  }
}

/** The page loads again, with the new version. */
export function takeUpdate(): void {
  const { waiting } = useUpdate.getState();
  if (!waiting) return;
  navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true });
  waiting.postMessage('take over');
}
