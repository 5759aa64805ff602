// A run as a JSON file, to keep elsewhere or to bring to another browser. A file may come from anybody, so every value
// that a panel shows is checked; one wrong value refuses the whole file.

import { FIELDS } from '../../config/fields';
import { checkValue, CONFIG_KEYS, configOf, withCurrentNames, type ConfigKey, type RunConfig } from '../../config/run-config';
import { AppError } from '../../base/errors';
import type { RunRecord } from './record';
import type { MetricsSnapshot } from '../run/metrics';
import { MEMORY_GROUPS } from '../run/metrics';
import { errorReader, prepared, report, sample, totals } from './record-readers';
import { count, list, measured, nullable, number, object, oneOf, text, Unreadable, type Reader } from './json-readers';

const FORMAT = 'lisa-studio run';
const VERSION = 1;
/** Characters. A run of a hundred thousand steps has some fifteen million. */
const MAX_RUN_FILE = 200_000_000;

export interface NamedRecord {
  readonly name: string;
  readonly record: RunRecord;
}

export function writeRunFile({ name, record }: NamedRecord): string {
  const { columns, ...metrics } = record.metrics;
  const lists = Object.fromEntries(Object.entries(columns).map(([column, values]) => [column, Array.from(values)]));
  return `${JSON.stringify({ format: FORMAT, version: VERSION, name, run: { ...record, metrics: { ...metrics, columns: lists } } })}\n`;
}

/** Throws DATASET_READ with what is wrong; `file` is its name, for the message. */
export function readRunFile(json: string, file: string): NamedRecord {
  const refuse = (detail: string, cause?: unknown): never => {
    throw new AppError('DATASET_READ', `${file} ${detail}.`, 'Choose a file that was exported from the history of this page.', { cause });
  };
  if (json.length > MAX_RUN_FILE) return refuse('is too large for a run');
  try {
    return readNamed(JSON.parse(json) as unknown, '');
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return refuse('is not valid JSON', thrown);
    if (thrown instanceof Unreadable) return refuse(`cannot be read as a run: ${thrown.message}`, thrown);
    throw thrown;
  }
}

/** Settings may have their former names; a setting that did not exist yet gets its default. */
const config: Reader<RunConfig> = (value, path) => {
  object({})(value, path);
  const given = withCurrentNames(value as object);
  const read = <K extends ConfigKey>(key: K): RunConfig[K] => {
    const checked = checkValue(key, given[key]);
    if (!checked.ok) throw new Unreadable(`${path}.${key}`, checked.expected);
    return checked.value;
  };
  const known = CONFIG_KEYS.filter((key) => key in given);
  return configOf(Object.fromEntries(known.map((key) => [key, read(key)])));
};

/** Columns of equal length, at most as long as a run can be. */
const columns: Reader<MetricsSnapshot['columns']> = (value, path) => {
  const column: Reader<Float64Array> = (part, at) => Float64Array.from(list(measured)(part, at));
  const names = ['step', 'loss', 'lr', 'gradNorm', 'tokens', 'stepMs', 'total', ...MEMORY_GROUPS] as const;
  const read = object<Record<(typeof names)[number], Float64Array>>(
    Object.fromEntries(names.map((name) => [name, column])) as Record<(typeof names)[number], Reader<Float64Array>>,
  )(value, path);
  const { length } = read.step;
  if (length === 0 || length > FIELDS.steps.max) throw new Unreadable(`${path}.step`, 'a list of steps');
  for (const name of names) if (read[name].length !== length) throw new Unreadable(`${path}.${name}`, `a list of ${length} numbers`);
  for (let i = 1; i < length; i++) if (!(read.step[i] > read.step[i - 1])) throw new Unreadable(`${path}.step`, 'in ascending order');
  return read;
};

const metrics = object<MetricsSnapshot>({
  periodSteps: nullable(count),
  columns,
  periods: list(object({ period: count, firstStep: count, lastStep: count, layers: list(count), firstLoss: measured, lastLoss: measured })),
  moves: list(object({ period: count, layers: list(object({ layer: count, change: measured })) })),
  memoryChanges: list(object({ step: count, bytes: totals })),
});

const record = object<RunRecord>({
  runId: text,
  startedAt: number,
  updatedAt: number,
  status: oneOf('done', 'stopped', 'failed', 'unfinished'),
  config,
  prepared,
  step: count,
  savedStep: nullable(count),
  evals: list(object({ step: count, loss: measured })),
  samples: list(sample),
  report: nullable(report),
  error: nullable(errorReader),
  metrics,
});

const readNamed: Reader<NamedRecord> = (value, path) => {
  const file = object<{ format: string; version: number; name: string; run: RunRecord }>({
    format: oneOf(FORMAT),
    version: (version, at) => {
      if (version !== VERSION) throw new Unreadable(at, `${VERSION}, the version that this page reads`);
      return VERSION;
    },
    name: text,
    run: record,
  })(value, path);
  const layers = file.run.prepared.shape.layers;
  const drawn = [
    ...file.run.prepared.schedule,
    ...file.run.metrics.periods,
    ...file.run.metrics.moves.map(({ layers: moved }) => ({ layers: moved.map(({ layer }) => layer) })),
  ];
  if (drawn.some((period) => period.layers.some((layer) => layer >= layers)))
    throw new Unreadable('run', `of a model with ${layers} layers throughout`);
  return { name: file.name, record: file.run };
};
