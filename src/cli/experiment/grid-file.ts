// What the grid of runs has measured so far, as JSON: one file a task. Written by this program only.

/** One finished run. Losses are held-out, in nats a target. */
export interface GridRun {
  readonly before: number;
  /** null: the loss stopped being a number. */
  readonly after: number | null;
  /** Peak of the GPU's ledger, in bytes. */
  readonly peak: number;
  readonly lr: number;
  /** Loss on text that the base wrote itself, after training; null where that was not measured. */
  readonly own: number | null;
}

export interface Grid {
  /** Options of finetune that all runs had. */
  readonly options: readonly string[];
  readonly date: string;
  readonly device: string | null;
  /** What is known of the base: its layers, text that it wrote, by prompt, and its loss on that. */
  readonly base: {
    readonly layers: number;
    readonly texts: readonly (readonly [prompt: string, text: string])[];
    readonly loss: number;
  } | null;
  /** By cell and seed (`keyOf`). */
  readonly runs: Readonly<Record<string, GridRun>>;
}

/** What is run: a study's name, the variant, and the factor by which the method's learning rate is multiplied. */
export interface Cell {
  readonly study: string;
  readonly variant: string;
  readonly factor: number;
  /** Arguments of finetune, but for the learning rate and the seed. */
  readonly args: readonly string[];
}

export const keyOf = ({ study, variant, factor }: Omit<Cell, 'args'>, seed: number): string =>
  `${study}: ${variant}, rate × ${factor}, seed ${seed}`;

/** The runs of a cell, by seed. */
export const runsOf = (grid: Grid, cell: Omit<Cell, 'args'>, seeds: readonly number[]): GridRun[] =>
  seeds.flatMap((seed) => grid.runs[keyOf(cell, seed)] ?? []);

/** Losses after training. None where a run diverged: a mean over the other seeds would flatter the setting. */
export const lossesOf = (runs: readonly GridRun[]): number[] => {
  const losses = runs.flatMap(({ after }) => after ?? []);
  return losses.length === runs.length ? losses : [];
};

/** The factors of which a cell has runs, and the one with the least loss for a seed; null if none has a loss. */
export function bestOf(grid: Grid, cellOf: (factor: number) => Omit<Cell, 'args'>, seed: number): number | null {
  const { study, variant } = cellOf(1);
  const found = Object.entries(grid.runs).flatMap(([key, { after }]) => {
    const match = /, rate × ([\d.]+), seed (\d+)$/.exec(key);
    if (!match || after === null || Number(match[2]) !== seed || !key.startsWith(`${study}: ${variant}, rate`)) return [];
    return [{ factor: Number(match[1]), after }];
  });
  return found.sort((a, b) => a.after - b.after)[0]?.factor ?? null;
}
