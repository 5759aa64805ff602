// What the data folder passes around: rows as read, samples as trained on.

/** Roles that a conversation may have. */
export const ROLES = ['system', 'user', 'assistant', 'tool'] as const;
export type Role = (typeof ROLES)[number];

export interface Message {
  readonly role: Role;
  readonly content: string;
}

/** One example of a file. `row` is its 1-based line, if it came from a file. */
export type DataRow =
  | { readonly kind: 'chat'; readonly messages: readonly Message[]; readonly row?: number }
  | { readonly kind: 'text'; readonly text: string; readonly row?: number };

/** A row that could not be used, and why. */
export interface BadRow {
  /** 1-based line at which it starts. */
  readonly row: number;
  readonly reason: string;
  /** What to do, if fixing the row is not enough. */
  readonly remedy?: string;
}

/** l tokens, 2 ≤ l ≤ T + 1. The model reads the first l − 1 and predicts the last l − 1. */
export interface Sample {
  readonly ids: Uint32Array;
  /** 1 if the token counts toward the loss, predicted from the tokens before it. target[0] is always 0. */
  readonly target: Uint8Array;
}

/** Tokens of a sample that go through the model. */
export const inputTokens = (sample: Sample): number => sample.ids.length - 1;
