// What recorded losses allow to say, and no more: two means differ where they are more than two standard errors apart. Pure.

import { errorOfDifference, mean } from '../../base/statistics';

export interface Recorded {
  readonly date: string;
  readonly device: string | null;
  /** Optimizer steps of every run. */
  readonly steps: number;
  /** Held-out losses in nats, one a seed; peak memory in bytes, measured; `forgot`: nats a token lost on the base's own text. */
  readonly methods: readonly {
    readonly method: string;
    readonly lr: number;
    readonly before: number;
    readonly after: readonly number[];
    readonly peak: number;
    readonly forgot?: number;
  }[];
  readonly levers: readonly { readonly name: string; readonly after: readonly number[]; readonly peak: number }[];
  readonly draws: readonly { readonly name: string; readonly after: readonly number[] }[];
  /** Levers with which LISA ended higher than as published, by more than two standard errors; the spread is that of the seeds. */
  readonly costs: readonly { readonly model: string; readonly lever: string; readonly by: number; readonly spread: number }[];
}

/** The difference of the means where it is above two standard errors; else 0. NaN with too few seeds. */
export function difference(a: readonly number[], b: readonly number[]): number {
  const error = errorOfDifference(a, b);
  if (Number.isNaN(error)) return NaN;
  const apart = mean(a) - mean(b);
  return Math.abs(apart) > 2 * error ? apart : 0;
}

const fixed = (value: number): string => Math.abs(value).toFixed(3);

/** LISA's loss beside another method's. */
function against(name: string, lisa: readonly number[], other: readonly number[]): string {
  const apart = difference(lisa, other);
  if (Number.isNaN(apart)) return `Too few seeds to compare LISA with ${name}.`;
  if (apart === 0) return `LISA and ${name} ended at losses that differ no more than seeds do.`;
  return `LISA ended ${fixed(apart)} nats ${apart > 0 ? 'higher' : 'lower'} than ${name}.`;
}

/** Whether it matters how layers are drawn. */
function drawing(draws: Recorded['draws']): string[] {
  const uniform = draws.find(({ name }) => name === 'uniform');
  if (!uniform || draws.length < 2) return [];
  const apart = draws.filter((draw) => draw !== uniform).map((draw) => ({ name: draw.name, by: difference(draw.after, uniform.after) }));
  if (apart.some(({ by }) => Number.isNaN(by))) return ['Too few seeds to compare ways of drawing layers.'];
  const told = apart.filter(({ by }) => by !== 0).map(({ name, by }) => `${name} ended ${fixed(by)} ${by > 0 ? 'higher' : 'lower'}`);
  return told.length === 0
    ? [`How layers are drawn made no difference beyond that of seeds (${draws.map(({ name }) => name).join(', ')}).`]
    : [`Compared with uniform draws, ${told.join('; ')}.`];
}

/** What a lever has cost in recorded runs, on the model where it cost most; null: nothing beyond the spread of seeds. */
export function costWords({ costs }: Recorded, lever: string): string | null {
  const [worst] = costs.filter((cost) => cost.lever === lever).sort((a, b) => b.by - a.by);
  if (!worst) return null;
  return `In recorded runs (${worst.model}) this ended ${fixed(worst.by)} nats higher than LISA as published; seeds differ by ${fixed(worst.spread)}.`;
}

export function expectWords({ methods, draws }: Recorded): string[] {
  const of = (method: string): readonly number[] | undefined => methods.find((each) => each.method === method)?.after;
  const [lisa, full, lora] = ['lisa', 'full', 'lora'].map(of);
  return [
    ...(lisa && full ? [against('full training', lisa, full)] : []),
    ...(lisa && lora ? [against('LoRA', lisa, lora)] : []),
    ...drawing(draws),
  ];
}
