// What the data folder passes around: rows as read, samples as trained on.

/** Roles that a conversation may have. */
export const ROLES = ['system', 'developer', 'user', 'assistant', 'tool'] as const;
export type Role = (typeof ROLES)[number];

export type JsonObject = Readonly<Record<string, unknown>>;

export interface Message {
  readonly role: Role;
  readonly content: string;
  /** The file says that there is no content (null, or nothing); `content` is then ''. */
  readonly empty?: true;
  /** The file takes the message out of the loss. */
  readonly train?: false;
  /** Everything else that the file says of the message, by key: tool_calls, reasoning_content, name … The chat template gets it. */
  readonly more?: JsonObject;
}

/** What a chat template gets beside the messages. */
export interface ChatContext {
  readonly tools?: readonly unknown[];
  readonly documents?: readonly unknown[];
  /** chat_template_kwargs, such as enable_thinking. */
  readonly options?: JsonObject;
}

interface RowFacts {
  /** 1-based line, if it came from a file. */
  readonly row?: number;
  /** Keys of the record that say something and are not read. */
  readonly unread?: readonly string[];
}

/** One example of a file. */
export type DataRow =
  | (RowFacts & {
      readonly kind: 'chat';
      readonly messages: readonly Message[];
      readonly context?: ChatContext;
      /** A prompt and a completion as plain texts: a model without a chat template reads them joined as they are. */
      readonly pair?: true;
    })
  | (RowFacts & { readonly kind: 'text'; readonly text: string });

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

/** Bytes [start, end) of a file. */
export type ReadRange = (start: number, end: number) => Promise<Uint8Array>;
