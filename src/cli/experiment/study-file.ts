// What a study of importance has measured so far, as JSON. Written by this program only; a file of other settings is refused.

import { AppError } from '../../base/errors';
import type { ProbeNorms } from '../../lisa/profile';

/** How layers are drawn. */
export const STUDY_DRAWS = ['uniform', 'cycle', 'LoRA norms', 'gradient norms', 'inverted LoRA norms'] as const;
export type StudyDraw = (typeof STUDY_DRAWS)[number];

export interface StudyRun {
  /** Held-out loss. */
  readonly before: number;
  readonly after: number;
  /** In how many periods each layer trained. */
  readonly counts: readonly number[];
  readonly periods: number;
  /** p_l at the end; absent where there are none. */
  readonly weights?: readonly number[];
}

export interface Study {
  /** Options of finetune that all runs had. */
  readonly options: readonly string[];
  readonly date: string;
  readonly device: string | null;
  readonly profile: { readonly weights: readonly number[]; readonly norms: ProbeNorms } | null;
  /** By draw and seed. */
  readonly runs: Readonly<Record<string, StudyRun>>;
}

export const keyOf = (draw: StudyDraw, seed: number): string => `${draw}, seed ${seed}`;

/** The runs of a draw, by seed. */
export const runsOf = (study: Study, draw: StudyDraw): StudyRun[] =>
  Object.entries(study.runs).flatMap(([key, run]) => (key.startsWith(`${draw}, seed `) ? [run] : []));

export const writeStudy = (study: Study): string => `${JSON.stringify(study, null, 1)}\n`;

/** A new study if there is no file. Throws CONFIG_INVALID if the file is of other options. */
export function readStudy(text: string | null, options: readonly string[], name: string): Study {
  if (text === null) return { options, date: new Date().toISOString().slice(0, 10), device: null, profile: null, runs: {} };
  const study = JSON.parse(text) as Study;
  if (JSON.stringify(study.options) !== JSON.stringify(options))
    throw new AppError(
      'CONFIG_INVALID',
      `${name} holds runs with other options: ${study.options.join(' ') || 'none'}.`,
      'Give the same options, or another --out.',
    );
  return study;
}
