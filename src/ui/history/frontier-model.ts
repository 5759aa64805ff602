// Held-out loss against peak memory. Losses compare only where model and held-out rows are the same, so runs are grouped by those. Pure.

import type { RunSummary } from '../../store/history/record';

/** What makes held-out losses comparable. */
interface Task {
  readonly key: string;
  /** "wordsmith-2m on pirate" */
  readonly name: string;
}

export interface FrontierPoint {
  readonly runId: string;
  readonly name: string;
  readonly method: RunSummary['config']['method'];
  /** Bytes, measured. */
  readonly peak: number;
  readonly loss: number;
  /** Another run has no higher loss and no higher peak, and is better in one of them. */
  readonly beaten: boolean;
}

export interface FrontierGroup extends Task {
  readonly points: readonly FrontierPoint[];
}

function taskOf({ config }: RunSummary): Task {
  const { model, data, evalData, evalSplit, mask, seqLen } = config;
  // Without a file of held-out rows, the share and its seed choose them; the length decides what of a row is evaluated.
  const rows = evalData ? [evalData] : [evalSplit, config.seed];
  return { key: JSON.stringify([model, data, rows, mask, seqLen]), name: `${model} on ${data}` };
}

/** Groups of at least two finished runs with a held-out loss; the one with the newest run first, as the runs come. */
export function frontierGroups(runs: readonly RunSummary[]): FrontierGroup[] {
  const groups = new Map<string, { task: Task; runs: RunSummary[] }>();
  for (const run of runs) {
    if (run.status !== 'done' && run.status !== 'stopped') continue;
    if (run.lastEval === null || !Number.isFinite(run.lastEval.loss) || run.peakBytes <= 0) continue;
    const task = taskOf(run);
    const group = groups.get(task.key) ?? { task, runs: [] };
    group.runs.push(run);
    groups.set(task.key, group);
  }
  return [...groups.values()].filter((group) => group.runs.length > 1).map(({ task, runs: own }) => ({ ...task, points: pointsOf(own) }));
}

function pointsOf(runs: readonly RunSummary[]): FrontierPoint[] {
  const plain = runs.map(({ runId, name, config, peakBytes, lastEval }) => ({
    runId,
    name,
    method: config.method,
    peak: peakBytes,
    loss: lastEval?.loss ?? NaN,
  }));
  return plain.map((point) => ({
    ...point,
    beaten: plain.some(
      (other) => other.peak <= point.peak && other.loss <= point.loss && (other.peak < point.peak || other.loss < point.loss),
    ),
  }));
}

/** The stairs through the runs that none beats: the lowest loss that was reached within each amount of memory. */
export function stairs(points: readonly FrontierPoint[]): { readonly peak: number; readonly loss: number }[] {
  const best = points.filter(({ beaten }) => !beaten).sort((a, b) => a.peak - b.peak || a.loss - b.loss);
  return best.flatMap(({ peak, loss }, i) =>
    i === 0
      ? [{ peak, loss }]
      : [
          { peak, loss: best[i - 1].loss },
          { peak, loss },
        ],
  );
}
