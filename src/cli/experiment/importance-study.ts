// `npm run experiment -- importance`: does it matter how layers are drawn? LISA with draws that are uniform, in cycles, by LoRA norms (the
// paper's rule), by gradient norms measured in the run, and by the inverse of LoRA norms. The same steps and settings for all. Every finished
// run is kept in a JSON file, so that the study goes on where it was stopped; plots and a table are made from that file.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError, errorInfo } from '../../base/errors';
import { writeText } from '../../io/node/output';
import { normalise } from '../../lisa/importance';
import { readProfile } from '../../lisa/profile';
import { runImportance } from '../importance/run';
import type { Terminal } from '../terminal';
import { quietIo, runOnce } from './run-once';
import { keyOf, readStudy, STUDY_DRAWS, writeStudy, type Study, type StudyDraw } from './study-file';
import { lossPlot, profilePlot } from './study-plot';
import { studyTable } from './study-table';

const HELP = `npm run experiment -- importance [--out <file.json>] [--seeds 1,2,3] [options of finetune]

Runs LISA with layers drawn ${STUDY_DRAWS.join(', ')}, with each seed. Finished runs are kept in the file
(default: docs/results/importance.json); a run that it has is not repeated. Beside it go plots as SVG; the table is printed.
`;

interface Args {
  readonly out: string;
  readonly seeds: readonly number[];
  /** Options of finetune. */
  readonly rest: readonly string[];
}

function parse(args: readonly string[]): Args {
  let out = 'docs/results/importance.json';
  let seeds = [1, 2, 3];
  const rest: string[] = [];
  for (let i = 0; i < args.length; i++) {
    if (args[i] === '--out') out = args[++i] ?? '';
    else if (args[i] === '--seeds') seeds = (args[++i] ?? '').split(',').map((text) => (/^\d{1,9}$/.test(text) ? Number(text) : NaN));
    else rest.push(args[i]);
  }
  if (!out.endsWith('.json')) throw new AppError('CONFIG_INVALID', `--out: '${out}' is not a .json file.`, 'Enter the name of one.');
  if (seeds.some(Number.isNaN)) throw new AppError('CONFIG_INVALID', '--seeds cannot be read.', 'Enter numbers, such as 1,2,3.');
  return { out, seeds, rest };
}

/** Exit status. */
export async function runImportanceStudy(args: readonly string[], terminal: Terminal): Promise<number> {
  if (args.includes('--help')) {
    terminal.stdout(HELP);
    return 0;
  }
  try {
    await study(parse(args), terminal);
    return 0;
  } catch (thrown) {
    const { detail, remedy } = errorInfo(thrown);
    terminal.stderr(`experiment: ${detail} ${remedy}\n`);
    return 2;
  }
}

async function study({ out, seeds, rest }: Args, terminal: Terminal): Promise<void> {
  let known: Study = readStudy(await readFile(out, 'utf8').catch(() => null), rest, out);
  const keep = async (next: Study): Promise<void> => {
    known = next;
    await writeText(out, writeStudy(known));
  };
  if (!known.profile) await keep({ ...known, profile: await probe(rest, terminal) });
  const { weights } = known.profile!;
  for (const seed of seeds) {
    for (const draw of STUDY_DRAWS) {
      const key = keyOf(draw, seed);
      if (known.runs[key]) continue;
      const { report } = await runOnce(terminal, key, [...argsOf(draw, weights), '--seed', String(seed), ...rest]);
      const counts = weights.map((_, layer) => report.schedule.filter(({ layers }) => layers.includes(layer)).length);
      const [before, after] = [report.evalLoss[0].loss, report.evalLoss.at(-1)!.loss];
      const p = report.importance ? { weights: report.importance.weights } : {};
      const device = `${report.device.description}${report.device.software ? ' (software)' : ''}`;
      await keep({ ...known, device, runs: { ...known.runs, [key]: { before, after, counts, periods: report.schedule.length, ...p } } });
    }
  }
  const place = out.replace(/\.json$/, '');
  await writeText(`${place}-losses.svg`, lossPlot(known));
  await writeText(`${place}-norms.svg`, profilePlot(known));
  terminal.stdout(`${studyTable(known)}\n`);
}

/** What distinguishes the runs. */
function argsOf(draw: StudyDraw, weights: readonly number[]): string[] {
  const by = (values: readonly number[]): string[] => ['--lisa-sampler', 'weighted', '--lisa-weights', values.join(',')];
  switch (draw) {
    case 'uniform':
    case 'cycle':
      return ['--lisa-sampler', draw];
    case 'LoRA norms':
      return by(weights);
    case 'inverted LoRA norms':
      return by(normalise(weights.map((weight) => 1 / weight)));
    case 'gradient norms':
      return ['--lisa-adapt', 'gradients', '--lisa-sampler', 'weighted'];
  }
}

/** Importance by the paper's rule, with full training for its denominator. Options of LISA and of the number of steps are not the probe's. */
async function probe(rest: readonly string[], terminal: Terminal): Promise<NonNullable<Study['profile']>> {
  const folder = await mkdtemp(join(tmpdir(), 'lisa-probe-'));
  const out = join(folder, 'profile.json');
  const own = rest.filter((arg, at) => {
    const of = arg.startsWith('--') ? arg : (rest[at - 1] ?? '');
    return !of.startsWith('--lisa-') && !['--steps', '--lr', '--warmup'].includes(of.split('=')[0]);
  });
  try {
    const status = await runImportance(
      [...own, '--out', out, '--full'],
      quietIo(terminal, (text) => terminal.stderr(text)),
    );
    if (status !== 0) throw new AppError('INTERNAL', 'The probe of importance failed.', 'See above.');
    const { norms, weights } = readProfile(await readFile(out, 'utf8'), out);
    return { weights, norms: norms! };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
