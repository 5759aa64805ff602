// The options of `npm run bench`.

import { parseArgs } from 'node:util';
import type { Method } from '../../config/run-config';
import { AppError } from '../../base/errors';
import type { Clock } from '../../gpu/profiler';
import { MODEL_IDS, type BatchShape } from './models';

const SECTIONS = ['profile', 'compare', 'stored', 'resident', 'loading', 'peers', 'encode'] as const;
type Section = (typeof SECTIONS)[number];
/** Sections that run if none is named. They include other libraries, so that their figures and ours come from the same machine and hour. */
const DEFAULT_SECTIONS: readonly Section[] = ['profile', 'compare', 'peers', 'encode'];

export interface BenchOptions {
  readonly sections: ReadonlySet<Section>;
  /** Empty: each section's own. */
  readonly models: readonly string[];
  readonly method: Method;
  readonly gamma: number;
  /** Null: each model's own for the kind of device. */
  readonly batchSize: number | null;
  readonly seqLen: number | null;
  /** Null: more for small models. */
  readonly repetitions: number | null;
  readonly kernels: 'auto' | 'software' | 'card';
  readonly clock: Clock | null;
  readonly json: boolean;
  readonly out: string | null;
  readonly help: boolean;
}

export const HELP = `Speed and memory of training steps on this device.

  npm run --silent bench -- [options]

Sections; without any, profile, compare, encode and peers:
  --profile             time, FLOPs and bytes of every kernel of a step (wordsmith-2m, gpt2-124m, smollm2-135m)
  --compare             LISA against full training: time ratio and FLOP ratio, dX and dW against forward, a switch
                        (wordsmith-2m)
  --stored              weights as f32 against weights in 16 bits: bytes of every method, time of a step (wordsmith-2m,
                        smollm2-135m)
  --resident            whether the memory of processes on the software adapter differs as the ledgers say
  --loading             JavaScript memory while models of 500 MB are loaded, saved, resumed and exported: at most 128 MiB
  --encode              processor time of a step before the GPU has work, a dispatch (wordsmith-2m, gpt2-124m, smollm2-135m)
  --peers               other WebGPU libraries on the same device (installs them under bench/peers)

Options:
  --model <name,…>      ${MODEL_IDS.join(', ')}
  --method <name>       what --profile runs: lisa, full or lora (default lisa)
  --lisa-layers <n>     γ (default 2)
  --batch-size <n>      rows of the batch
  --seq-len <n>         tokens of a row
  --reps <n>            repetitions
  --kernels <name>      auto, software or card (default auto)
  --clock <name>        timestamps or host (default timestamps where the device has them)
  --json                results as JSON on standard output; tables go to standard error
  --out <file>          results as JSON in a file
  --help
`;

/** Throws CONFIG_INVALID. */
export function parseBenchOptions(args: readonly string[]): BenchOptions {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        profile: flag,
        compare: flag,
        stored: flag,
        resident: flag,
        loading: flag,
        peers: flag,
        encode: flag,
        model: text,
        method: text,
        'lisa-layers': text,
        'batch-size': text,
        'seq-len': text,
        reps: text,
        kernels: text,
        clock: text,
        json: flag,
        out: text,
        help: flag,
      },
      strict: true,
      allowPositionals: false,
    }));
  } catch (cause) {
    throw new AppError('CONFIG_INVALID', (cause as Error).message.replace(/\. To specify.*$/s, '.'), '--help lists all options.', {
      cause,
    });
  }
  const models = (values.model ?? '').split(',').filter((name) => name !== '');
  for (const name of models) oneOf('model', name, MODEL_IDS);
  const chosen = SECTIONS.filter((name) => values[name] === true);
  return {
    sections: new Set(chosen.length > 0 ? chosen : DEFAULT_SECTIONS),
    models,
    method: oneOf('method', values.method ?? 'lisa', ['lisa', 'full', 'lora'] as const),
    gamma: whole('lisa-layers', values['lisa-layers']) ?? 2,
    batchSize: whole('batch-size', values['batch-size']),
    seqLen: whole('seq-len', values['seq-len']),
    repetitions: whole('reps', values.reps),
    kernels: oneOf('kernels', values.kernels ?? 'auto', ['auto', 'software', 'card'] as const),
    clock: values.clock === undefined ? null : oneOf('clock', values.clock, ['timestamps', 'host'] as const),
    json: values.json === true,
    out: values.out ?? null,
    help: values.help === true,
  };
}

/** The batch that was asked for; what was not given comes from the model's own. */
export const batchOf = (options: Pick<BenchOptions, 'batchSize' | 'seqLen'>, own: BatchShape): BatchShape => ({
  batchSize: options.batchSize ?? own.batchSize,
  seqLen: options.seqLen ?? own.seqLen,
});

function oneOf<T extends string>(flag: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((name) => name === value);
  if (found === undefined) throw new AppError('CONFIG_INVALID', `--${flag}: '${value}' is not known.`, `Give ${allowed.join(', ')}.`);
  return found;
}

function whole(flag: string, value: string | undefined): number | null {
  if (value === undefined) return null;
  if (!/^[1-9]\d{0,6}$/.test(value))
    throw new AppError('CONFIG_INVALID', `--${flag}: '${value}' is not a whole number from 1.`, 'Give one.');
  return Number(value);
}
