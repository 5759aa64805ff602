// The terminal that the programs print on: no text of a file, a model or a person reaches it with control characters in it, a
// reader that goes away or a full disk ends a program in order, and signals ask it to stop before they end it.

import { constants } from 'node:os';
import process from 'node:process';

/**
 * Control characters and marks that turn the direction of text as \u00XX, which JSON reads back as the same characters. Line breaks and
 * tabs stay. (A terminal obeys what follows an ESC or a C1 control: it may move the cursor, write files or answer to the shell.)
 */
export const printable = (text: string): string =>
  text.replace(
    // eslint-disable-next-line no-control-regex -- these are what it is about
    /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

/** A name on one line. */
export const oneLine = (text: string): string => text.replace(/\s+/g, ' ');

/** Why a program should end before it is done. */
export interface StopReason {
  /** Its exit status then: 128 + the signal's number, as shells have it, or 1. */
  readonly status: number;
  /** What happened, for a person. */
  readonly what: string;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const statusOf = (signal: keyof typeof constants.signals): number => 128 + constants.signals[signal];

/** Under npm one Ctrl-C may arrive twice: from the terminal and from npm. */
const TWICE_MS = 500;

export class Terminal {
  readonly #watchers = new Set<(reason: StopReason) => void>();
  #broken: StopReason | null = null;

  constructor() {
    // Without a listener the error would end the process at once.
    process.stdout.on('error', (error: NodeJS.ErrnoException) => this.#break(error));
    process.stderr.on('error', () => undefined);
  }

  readonly stdout = (text: string): void => {
    if (!this.#broken) process.stdout.write(printable(text));
  };

  readonly stderr = (text: string): void => {
    if (process.stderr.writable) process.stderr.write(printable(text));
  };

  /** Calls back at the first signal, or if standard output breaks. A second signal ends the process. Returns how to stop listening. */
  onStop(stop: (reason: StopReason) => void): () => void {
    let asked: number | null = null;
    const listeners = SIGNALS.map((signal) => {
      const listener = (): void => {
        const now = performance.now();
        if (asked !== null && now - asked > TWICE_MS) process.exit(statusOf(signal));
        if (asked !== null) return;
        asked = now;
        stop({ status: statusOf(signal), what: signal });
      };
      process.on(signal, listener);
      return { signal, listener };
    });
    this.#watchers.add(stop);
    if (this.#broken) stop(this.#broken);
    return () => {
      this.#watchers.delete(stop);
      for (const { signal, listener } of listeners) process.off(signal, listener);
    };
  }

  /** Ends the process. A result that could not be printed is a failure. */
  async exit(status: number): Promise<never> {
    // The error of a write comes one turn later.
    await new Promise((resolve) => setImmediate(resolve));
    return process.exit(status === 0 && this.#broken ? this.#broken.status : status);
  }

  #break({ code = 'an error' }: NodeJS.ErrnoException): void {
    if (this.#broken) return;
    const closed = code === 'EPIPE';
    this.#broken = closed
      ? { status: statusOf('SIGPIPE'), what: 'Standard output was closed.' }
      : { status: 1, what: `Standard output cannot be written (${code}).` };
    // Whoever closes a pipe does not want to hear of it: | head.
    if (!closed) this.stderr(`${this.#broken.what}\n`);
    for (const stop of [...this.#watchers]) stop(this.#broken);
  }
}

/** Runs a program on this process's terminal and ends the process with its status. */
export async function runProgram(main: (terminal: Terminal) => Promise<number>): Promise<never> {
  const terminal = new Terminal();
  try {
    process.cwd();
  } catch {
    terminal.stderr('The current directory does not exist any more. Change to another directory.\n');
    return terminal.exit(2);
  }
  return terminal.exit(await main(terminal));
}
