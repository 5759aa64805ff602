// Names of a template at run time: a scope inherits from the one around it, and what is set inside stays inside.

import type { Value } from './values';

export class Scope {
  readonly #values = new Map<string, Value>();

  constructor(private readonly parent: Scope | null = null) {}

  get(name: string): Value | undefined {
    const own = this.#values.get(name);
    if (own !== undefined || !this.parent) return own;
    return this.parent.get(name);
  }

  set(name: string, value: Value): void {
    this.#values.set(name, value);
  }
}
