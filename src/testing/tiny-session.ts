// For tests in Node: sessions on the fixture models, with checkpoints in memory and every event kept.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULTS, type RunConfig } from '../config/run-config';
import { nodeLab } from './node-lab';
import { nodeSource } from '../io/node/source';
import { headerSize, parseHeader, type SafetensorsFile } from '../io/formats/safetensors';
import { collect } from './tiny-model';
import type { CheckpointReader, CheckpointStorage } from '../io/formats/checkpoints';
import type { GateAnswer } from '../train/gate';
import { prepareInputs, type DataBytes, type RunInputs } from '../train/prepare';
import type { RunEvent, StepMetrics } from '../train/events';
import { Session } from '../train/session';
import type { SessionHost } from '../train/session-host';
import type { FixtureName } from './fixtures';
import { writeTinyModel } from './tiny-folder';

type Bytes = Uint8Array<ArrayBuffer>;

export const readerOf = (bytes: Bytes): CheckpointReader => ({
  size: bytes.byteLength,
  read: (start, end) => Promise.resolve(bytes.slice(start, end)),
});

/** Keeps the bytes of every checkpoint, by step. */
export class MemoryCheckpoints implements CheckpointStorage {
  readonly files = new Map<number, Bytes>();
  #latest: number | null = null;

  async write(step: number, file: SafetensorsFile): Promise<void> {
    this.files.set(step, await collect(file.chunks()));
    this.#latest = step;
  }

  copy(): MemoryCheckpoints {
    const copy = new MemoryCheckpoints();
    for (const [step, bytes] of this.files) copy.files.set(step, bytes);
    copy.#latest = this.#latest;
    return copy;
  }

  at(step: number): CheckpointReader {
    const bytes = this.files.get(step);
    if (!bytes) throw new Error(`No checkpoint of step ${step}; there are ${[...this.files.keys()].join(', ')}.`);
    return readerOf(bytes);
  }

  open(): Promise<CheckpointReader | null> {
    return Promise.resolve(this.#latest === null ? null : this.at(this.#latest));
  }

  clear(): Promise<void> {
    this.files.clear();
    this.#latest = null;
    return Promise.resolve();
  }
}

/** A host whose gate always says go, until a test says otherwise. */
export class TestHost implements SessionHost {
  readonly events: RunEvent[] = [];
  readonly checkpoints = new MemoryCheckpoints();
  /** Called before every step. */
  onGate: () => GateAnswer | Promise<GateAnswer> = () => 'go';
  rest?: SessionHost['rest'];
  isDiscarded = false;
  proof?: SessionHost['proof'];
  measureExport?: boolean;

  emit(event: RunEvent): void {
    this.events.push(event);
  }

  gate(): Promise<GateAnswer> {
    return Promise.resolve(this.onGate());
  }

  discarded(): boolean {
    return this.isDiscarded;
  }

  of<T extends RunEvent['type']>(type: T): Extract<RunEvent, { type: T }>[] {
    return this.events.filter((event): event is Extract<RunEvent, { type: T }> => event.type === type);
  }

  get steps(): StepMetrics[] {
    return this.of('step').map((event) => event.metrics);
  }
}

/** A config of a dozen quick steps. */
export const TINY_CONFIG: RunConfig = {
  ...DEFAULTS,
  steps: 12,
  seqLen: 12,
  batchSize: 2,
  lr: 1e-2,
  warmup: 2,
  weightDecay: 0.01,
  stepsPerPeriod: 5,
  lisaLayers: 2,
  loraRank: 3,
  loraAlpha: 6,
  evalSplit: 0.3,
  evalEvery: 4,
  saveEvery: 1,
  prompts: ['one'],
  sampleTokens: 3,
};

const WORDS = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten', 'eleven', 'twelve'];

/** Rows of text; few of them make short epochs. */
export function textRows(count: number, name = 'rows.jsonl'): DataBytes {
  const lines = Array.from({ length: count }, (_, i) => JSON.stringify({ text: `${WORDS[i % WORDS.length]} ${i}` }));
  return { name, bytes: new TextEncoder().encode(`${lines.join('\n')}\n`) };
}

/** Inputs as the command line prepares them; `folder` is a temporary folder for the model. */
export async function tinyInputs(folder: string, fixture: FixtureName, config: RunConfig, data: DataBytes): Promise<RunInputs> {
  const model = join(folder, fixture);
  mkdirSync(folder, { recursive: true });
  writeTinyModel(model, fixture);
  return prepareInputs(config, { model: await nodeSource(model), data, evalData: null });
}

export interface TinyRun {
  readonly host: TestHost;
  readonly session: Session;
}

/** A session that is ready to run. The caller closes it. */
export async function openTiny(
  inputs: RunInputs,
  from: CheckpointReader | null = null,
  host = new TestHost(),
  shardBytes?: number,
): Promise<TinyRun> {
  const { gpu } = await nodeLab();
  return { host, session: await Session.create(gpu, inputs, host, from, shardBytes) };
}

/** Every tensor that the run could change, as bytes by name. */
export async function trainedBytes(session: Session): Promise<Map<string, Bytes>> {
  const { engine } = session;
  const bytes = new Map<string, Bytes>();
  for (const [name, { weights }] of engine.plan.buffers.blocks) bytes.set(name, await engine.readSharded(weights));
  for (const [layer, { weights }] of engine.plan.buffers.adapters.entries())
    bytes.set(`adapter ${layer}`, await engine.readSharded(weights));
  return bytes;
}

/** Names of tensors that differ in any bit. */
export function differences(a: ReadonlyMap<string, Bytes>, b: ReadonlyMap<string, Bytes>): string[] {
  if ([...a.keys()].join() !== [...b.keys()].join()) return ['the names themselves'];
  return [...a].filter(([name, bytes]) => Buffer.compare(bytes, b.get(name)!) !== 0).map(([name]) => name);
}

/** Steps without what differs from run to run. */
export const timeless = (steps: readonly StepMetrics[]): object[] => steps.map(({ stepMs: _, ...rest }) => rest);

/** Tensors of a checkpoint by name, as bytes; `~checksums` left out. */
export async function checkpointTensors(reader: CheckpointReader): Promise<Map<string, Bytes>> {
  const size = headerSize(await reader.read(0, 8), reader.size, 'checkpoint');
  const { tensors } = parseHeader(await reader.read(0, size), reader.size, 'checkpoint');
  const bytes = new Map<string, Bytes>();
  for (const [name, { begin, end }] of tensors) if (!name.startsWith('~')) bytes.set(name, await reader.read(begin, end));
  return bytes;
}
