// Time limits in Node: `vm` watches the clock on a thread of its own and interrupts JavaScript, regular expressions included.

import { Script } from 'node:vm';
import { setBound, TimedOut } from '../../base/bounded';

const KEY = Symbol.for('lisa-studio.bounded');
const globals = globalThis as { [KEY]?: () => void };
const script = new Script(`globalThis[Symbol.for('lisa-studio.bounded')]()`);

/** From now on programs that come with a model end in a bounded time. */
export function boundStrangers(): void {
  setBound(<T>(work: () => T, ms: number): T => {
    let made: { readonly value: T } | null = null;
    globals[KEY] = () => (made = { value: work() });
    try {
      script.runInThisContext({ timeout: Math.ceil(ms) });
    } catch (thrown) {
      throw (thrown as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT' ? new TimedOut() : thrown;
    }
    return made!.value;
  });
}
