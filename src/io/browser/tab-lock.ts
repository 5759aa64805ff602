// One tab at a time: a lock that all tabs of this page share. Only a tab that holds it writes to shared places. It is released
// when the tab is closed or crashes. In a browser without locks, this tab counts as the only one.

/** Holds the lock for as long as it is needed. */
export interface Exclusive {
  /** True once this holder has the lock, or if it already had it; false while another has it. */
  acquire(): Promise<boolean>;
  /** No other holder has it. */
  free(): Promise<boolean>;
  release(): void;
}

/** How often a lock that another holder has is asked for, in ms. */
const ASK_AGAIN_MS = 1000;

/**
 * Resolves once no other holder has the lock. It asks now and then: a request that waits in the queue would take the lock from a tab that lets go of it
 * between two runs.
 */
export async function untilFree(lock: Exclusive, everyMs = ASK_AGAIN_MS): Promise<void> {
  while (!(await lock.free())) await new Promise((resolve) => setTimeout(resolve, everyMs));
}

export class TabLock implements Exclusive {
  readonly #name: string;
  readonly #locks: LockManager | undefined;
  #held: Promise<boolean> | null = null;
  #letGo: () => void = () => undefined;

  constructor(name: string, locks: LockManager | undefined = globalThis.navigator?.locks) {
    this.#name = name;
    this.#locks = locks;
  }

  async acquire(): Promise<boolean> {
    this.#held ??= this.#request();
    const held = await this.#held;
    if (!held) this.#held = null;
    return held;
  }

  async free(): Promise<boolean> {
    if (!this.#locks || this.#held) return true;
    const { held = [] } = await this.#locks.query();
    return !held.some(({ name }) => name === this.#name);
  }

  release(): void {
    this.#letGo();
    this.#letGo = () => undefined;
    this.#held = null;
  }

  #request(): Promise<boolean> {
    const locks = this.#locks;
    if (!locks) return Promise.resolve(true);
    return new Promise((answer, fail) => {
      locks
        .request(this.#name, { ifAvailable: true }, (lock) => {
          answer(lock !== null);
          // Held until this is resolved.
          return lock && new Promise<void>((letGo) => (this.#letGo = letGo));
        })
        .catch(fail);
    });
  }
}
