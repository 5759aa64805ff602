// Small things that this browser keeps for the next visit, under one prefix. Where storage is blocked they last as
// long as the page. What is read may have been written by anybody: it goes through the reader's check.

const PREFIX = 'lisa-studio.';

/** The stored JSON value as `check` makes it; undefined where there is none, or none that can be read. */
export function recall<T>(name: string, check: (value: unknown) => T | undefined): T | undefined {
  try {
    const text = localStorage.getItem(PREFIX + name);
    return text === null ? undefined : check(JSON.parse(text));
  } catch {
    return undefined; // storage is blocked, or somebody else's text
  }
}

/** Undefined forgets it. */
export function remember(name: string, value: unknown): void {
  try {
    if (value === undefined) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // storage is blocked or full
  }
}
