// The arguments of `npm run importance`: its own, and those of finetune that say what is measured.

import { AppError } from '../../base/errors';
import { METHOD_LR } from '../../config/run-config';
import { PROBE_STEPS } from '../../train/probe';
import { parseOptions, type FinetuneOptions } from '../finetune/options';

export interface ImportanceOptions {
  readonly finetune: FinetuneOptions;
  readonly out: string;
  readonly overwrite: boolean;
  /** Also measure full training. */
  readonly full: boolean;
  readonly fullLr: number;
  readonly verify: boolean;
  readonly json: boolean;
  /** Folder for the adapters after each step; null: they are not kept. */
  readonly adapters: string | null;
  /** A finished run whose movement of layers is the importance; null: importance is measured. */
  readonly fromRun: string | null;
}

export const HELP = `Measures how important the layers of a model are, as LISA's paper does: trains LoRA for some steps, records the
norms of its updates by layer, and throws them away. The model stays as it is.

  npm run --silent importance -- --out profile.json [options]

  --out <file>         where the profile goes (default: importance.json)
  --overwrite          replace the file
  --steps <number>     steps of LoRA (default: ${PROBE_STEPS})
  --full               also train the whole model for as many steps, for the denominator of the paper's rule;
                       without it the norm of the base stands in
  --full-lr <number>   learning rate of that (default: ${METHOD_LR.full})
  --adapters <dir>     keep the adapters after each step in a new folder, to check the norms (tools/oracle/check_importance.py)
  --from-run <dir>     measure nothing: take importance from how far a finished LISA run moved each layer
  --verify on          read the weights back at the end, and check that no bit of them has changed
  --json               the profile on standard output, without a table
  --help               this text

Options of finetune that say what is trained and on what count too: --model, --data, --lr (of LoRA), --lora-rank, --lora-alpha,
--seq-len, --batch-size, --grad-accum, --seed, --weights and the others of data and optimizer.
Use the profile with: npm run finetune -- --lisa-profile profile.json
`;

const REFUSED = ['method', 'resume', 'gguf', 'out-dtype', 'continue-elsewhere', 'memory-budget', 'prompt', 'export-last'];
const SWITCHES = new Set(['--full', '--overwrite', '--json']);
const VALUES = new Set(['--out', '--full-lr', '--adapters', '--from-run']);

/** Null for --help. Throws CONFIG_INVALID. */
export function parseImportanceOptions(args: readonly string[]): ImportanceOptions | null {
  const others: string[] = [];
  const own = new Map<string, string>();
  for (let i = 0; i < args.length; i++) {
    const [flag, joined] = args[i].split(/=(.*)/s, 2);
    if (flag === '--help') return null;
    if (SWITCHES.has(args[i])) own.set(flag, 'on');
    else if (VALUES.has(flag)) own.set(flag, joined ?? args[++i] ?? '');
    else others.push(args[i]);
    const refused = REFUSED.find((name) => flag === `--${name}`);
    if (refused)
      throw new AppError('CONFIG_INVALID', `--${refused}: importance always measures LoRA and writes a profile.`, 'Leave the option out.');
  }
  const given = (name: string): boolean => others.some((arg) => arg === `--${name}` || arg.startsWith(`--${name}=`));
  const lisa = others.find((arg) => arg.startsWith('--lisa-'));
  if (lisa) throw new AppError('CONFIG_INVALID', `${lisa}: importance trains no LISA.`, 'Leave the option out, and give it to finetune.');
  const fullLr = Number(own.get('--full-lr') ?? METHOD_LR.full);
  if (!(fullLr > 0 && fullLr <= 10))
    throw new AppError('CONFIG_INVALID', `--full-lr: '${own.get('--full-lr')}' is not a learning rate.`, 'Enter a number above 0.');
  const finetune = parseOptions(['--method', 'lora', ...(given('steps') ? [] : ['--steps', String(PROBE_STEPS)]), ...others]);
  if (own.has('--from-run') && (others.length > 0 || own.has('--full') || own.has('--adapters')))
    throw new AppError(
      'CONFIG_INVALID',
      '--from-run measures nothing, so only --out, --overwrite and --json go with it.',
      'Leave the others out.',
    );
  const out = own.get('--out') ?? 'importance.json';
  if (out === '') throw new AppError('CONFIG_INVALID', '--out: no file is given.', 'Enter the name of a file, such as profile.json.');
  return {
    finetune,
    out,
    overwrite: own.has('--overwrite'),
    full: own.has('--full'),
    fullLr,
    verify: finetune.verify,
    json: own.has('--json'),
    adapters: folder('--adapters', own),
    fromRun: folder('--from-run', own),
  };
}

function folder(flag: string, own: ReadonlyMap<string, string>): string | null {
  const path = own.get(flag);
  if (path === '') throw new AppError('CONFIG_INVALID', `${flag}: no folder is given.`, 'Enter the name of one.');
  return path ?? null;
}
