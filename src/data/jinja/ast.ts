// What a template is made of, once parsed.

import type { Value } from './values';

export interface Arguments {
  readonly args: readonly Expression[];
  readonly kwargs: readonly (readonly [string, Expression])[];
  /** *args and **kwargs of a call. */
  readonly rest: Expression | null;
  readonly restNamed: Expression | null;
}

export type Expression =
  | { readonly type: 'const'; readonly value: Value }
  | { readonly type: 'name'; readonly name: string }
  | { readonly type: 'attribute'; readonly of: Expression; readonly name: string }
  | { readonly type: 'item'; readonly of: Expression; readonly key: Expression }
  | { readonly type: 'slice'; readonly of: Expression; readonly parts: readonly (Expression | null)[] }
  | { readonly type: 'call'; readonly of: Expression; readonly with: Arguments }
  | { readonly type: 'filter'; readonly of: Expression | null; readonly name: string; readonly with: Arguments }
  | { readonly type: 'test'; readonly of: Expression; readonly name: string; readonly with: Arguments }
  | { readonly type: 'not' | 'negative' | 'positive'; readonly of: Expression }
  | { readonly type: 'binary'; readonly operator: string; readonly left: Expression; readonly right: Expression }
  | { readonly type: 'concat'; readonly parts: readonly Expression[] }
  | { readonly type: 'compare'; readonly first: Expression; readonly rest: readonly (readonly [string, Expression])[] }
  | { readonly type: 'if'; readonly test: Expression; readonly then: Expression; readonly otherwise: Expression | null }
  | { readonly type: 'list' | 'tuple'; readonly items: readonly Expression[] }
  | { readonly type: 'dict'; readonly entries: readonly (readonly [Expression, Expression])[] };

/** What `set` and `for` assign to. */
export type Target =
  | { readonly type: 'name'; readonly name: string }
  | { readonly type: 'attribute'; readonly of: string; readonly name: string }
  | { readonly type: 'targets'; readonly targets: readonly Target[] };

export interface Parameters {
  readonly names: readonly string[];
  /** Of the last names. */
  readonly defaults: readonly Expression[];
}

export type Statement =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'output'; readonly value: Expression }
  | {
      readonly type: 'if';
      readonly branches: readonly { readonly test: Expression; readonly body: readonly Statement[] }[];
      readonly otherwise: readonly Statement[];
    }
  | {
      readonly type: 'for';
      readonly target: Target;
      readonly over: Expression;
      readonly only: Expression | null;
      readonly recursive: boolean;
      readonly body: readonly Statement[];
      readonly otherwise: readonly Statement[];
    }
  | { readonly type: 'set'; readonly target: Target; readonly value: Expression }
  | { readonly type: 'set block'; readonly target: Target; readonly filter: Expression | null; readonly body: readonly Statement[] }
  | {
      readonly type: 'macro';
      readonly name: string;
      readonly parameters: Parameters;
      readonly body: readonly Statement[];
      readonly uses: ReadonlySet<string>;
    }
  | { readonly type: 'call block'; readonly call: Expression; readonly parameters: Parameters; readonly body: readonly Statement[] }
  | { readonly type: 'filter block'; readonly filter: Expression; readonly body: readonly Statement[] }
  | {
      readonly type: 'with';
      readonly targets: readonly Target[];
      readonly values: readonly Expression[];
      readonly body: readonly Statement[];
    }
  | { readonly type: 'scope'; readonly body: readonly Statement[] }
  | { readonly type: 'break' | 'continue' };
