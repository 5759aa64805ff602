// What the table of settings (fields.ts) says about each setting: the kind of its values, and the facts of its row.
// Everything that deals with settings reads these: the command line and its --help, links, settings files, checks and
// the form.

export const METHODS = ['lisa', 'full', 'lora'] as const;
export type Method = (typeof METHODS)[number];

/** What the chosen model allows. */
export interface ModelBounds {
  readonly layers: number;
  readonly maxPositions: number;
  /** The head is the embedding. */
  readonly tied?: boolean;
}

/** The value, or a phrase that says what it should have been: 'a whole number from 1 to 8'. */
export type Checked<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly expected: string };

/** Two sentences: what is wrong, and what to do. */
export interface Fault {
  readonly problem: string;
  readonly remedy: string;
}

/** The value of an option's text, or what is wrong with it. */
export type Parsed<T> = { readonly ok: true; readonly value: T } | ({ readonly ok: false } & Fault);

export const good = <T>(value: T): { readonly ok: true; readonly value: T } => ({ ok: true, value });
export const bad = (expected: string): { readonly ok: false; readonly expected: string } => ({ ok: false, expected });
export const refused = (problem: string, remedy: string): { readonly ok: false } & Fault => ({ ok: false, problem, remedy });

/** A kind of value: how it is checked, and how it is written on the command line and in a link. */
export interface Kind<T> {
  /** What the form shows it as; 'own' needs a control of its own. */
  readonly type: 'number' | 'choice' | 'toggle' | 'own';
  /** What --help shows between angle brackets. */
  readonly placeholder: string;
  /** The option may be given several times. */
  readonly repeatable?: boolean;
  /** Whether this is a value of this kind. It may come from a link or a file that anybody wrote. */
  check(value: unknown): Checked<T>;
  /** Why a run cannot use a value of the correct type: a number is out of range, or half typed (NaN). */
  fault?(value: T, model?: ModelBounds): Fault | null;
  /** Reads what was typed after the option: one text, or several if it is repeatable. */
  parse(texts: readonly string[]): Parsed<T>;
  /** The texts that `parse` reads as this value; none for a value that cannot be given. */
  toFlag(value: T): readonly string[];
  /** Its text in a link, before it is escaped. */
  toLink(value: T): string;
  /** The value that a link's text stands for, still to be checked. Never throws. */
  fromLink(text: string): unknown;
}

/** A kind that the form has no common control for: a list, a map, switches that belong together, a text that may be missing. */
export interface OwnKind<T> extends Kind<T> {
  readonly type: 'own';
}

/** The choices that other settings follow until somebody sets them. */
export interface Leads {
  readonly method: Method;
  readonly steps: number;
}

/** What a row says about a setting besides its kind. */
export interface Facts<T> {
  readonly default: T;
  /** The name that older links, files and checkpoints have for it. */
  readonly formerly?: string;
  /** Its option on the command line, without the dashes. */
  readonly flag: string;
  /** One line of --help. */
  readonly help: string;
  /** The form shows it in simple mode, too. */
  readonly simple?: boolean;
  /** The page lists it among the settings of a run even if it has its default. */
  readonly listed?: boolean;
  /** It changes what is read of the data, or how, so a change of it makes a new preview. */
  readonly shapesData?: boolean;
  /** Methods that use it; absent: all. */
  readonly methods?: readonly Method[];
  /**
   * 'local': it means something on this machine only, and never enters a link. 'source': it is local and names what was
   * chosen, which stays when settings are replaced and which a resumed run may look for elsewhere. Absent: links carry it.
   */
  readonly scope?: 'local' | 'source';
  /** A longer text does not enter a link. */
  readonly longestInLink?: number;
  /** Its default in a run of this method and length; undefined where the steps are half typed. */
  follows?(leads: Leads): T | undefined;
}

export type Field<T> = Kind<T> & Facts<T>;

type ValueOf<K> = K extends { check(value: unknown): Checked<infer T> } ? T : never;

/** A row of the table. */
export const row = <K extends Kind<unknown>>(kind: K, facts: Facts<ValueOf<K>>): K & Facts<ValueOf<K>> => ({ ...kind, ...facts });
