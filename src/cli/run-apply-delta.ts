// What `npm run apply-delta` does, as a function: the folder of a base model and a delta in, the tuned model out. No GPU.

import { parseArgs } from 'node:util';
import { AppError, errorInfo } from '../base/errors';
import { openDelta } from '../export/delta';
import { exportModel } from '../export/folder';
import { openModel } from '../io/sources/model-files';
import { planOutput } from '../io/node/output-folder';
import { nodeSource } from '../io/node/source';

export interface ApplyDeltaIo {
  stdout(text: string): void;
  stderr(text: string): void;
}

const HELP = `Applies the changes of a run to the model that it started from.

  npm run --silent apply-delta -- --base <dir> --delta <dir> --out <dir>

  --base <dir>    the model in Hugging Face layout, as it was trained from
  --delta <dir>   delta.safetensors and delta.json
  --out <dir>     where the tuned model goes: weights in f32, bit for bit those of the run's own export
  --overwrite     replace the model that --out already holds, once the new one is complete
  --help
`;

/** Exit status: 0, 1 where writing failed, 2 for bad input; a failure is one line on standard error and writes nothing. */
export async function runApplyDelta(args: readonly string[], io: ApplyDeltaIo): Promise<number> {
  try {
    const options = parse(args);
    if (options === null) io.stdout(HELP);
    else await apply(options, io);
    return 0;
  } catch (error) {
    const { code, detail, remedy } = errorInfo(error);
    io.stderr(`apply-delta: ${[detail, remedy].join(' ').replace(/\s+/g, ' ').trim()}\n`);
    return code === 'STORAGE' || code === 'INTERNAL' ? 1 : 2;
  }
}

interface Folders {
  readonly base: string;
  readonly delta: string;
  readonly out: string;
  readonly overwrite: boolean;
}

function parse(args: readonly string[]): Folders | null {
  const text = { type: 'string' } as const;
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: { base: text, delta: text, out: text, overwrite: { type: 'boolean' }, help: { type: 'boolean' } },
      strict: true,
      allowPositionals: false,
    }));
  } catch (cause) {
    throw new AppError('CONFIG_INVALID', (cause as Error).message.replace(/\. To specify.*$/s, '.'), '--help lists all options.', {
      cause,
    });
  }
  if (values.help === true) return null;
  const given = (name: 'base' | 'delta' | 'out'): string => {
    const value = values[name];
    if (value === undefined || value === '') throw new AppError('CONFIG_INVALID', `--${name} is missing.`, 'Give a directory.');
    return value;
  };
  return { base: given('base'), delta: given('delta'), out: given('out'), overwrite: values.overwrite === true };
}

async function apply({ base, delta, out, overwrite }: Folders, io: ApplyDeltaIo): Promise<void> {
  const inputs = Object.entries({ '--base': base, '--delta': delta }).map(([flag, path]) => ({ flag, path }));
  const plan = await planOutput({ flag: '--out', path: out, inputs, overwrite, say: (line) => io.stderr(`${line}\n`) });
  const source = await nodeSource(delta);
  const files = await openModel(await nodeSource(base));
  const model = await exportModel({ files, ...(await openDelta(files, source)), dtype: 'f32' });
  const folder = await plan.claim();
  try {
    await folder.write(model.files);
    const place = await folder.finish();
    io.stdout(`${files.table.length} tensors of ${files.name}, tuned, are in ${place}\n`);
  } finally {
    await folder.release();
  }
}
