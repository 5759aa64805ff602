// A checkpoint: one safetensors file that holds all buffers of a run's state byte for byte, with the rest of the
// state as JSON in its metadata. It is written to a new file and the pointer is swapped last (see the stores), so
// a kill at any moment leaves the old one or the new one.

import type { RunConfig } from '../config';
import { AppError } from '../errors';
import { headerSize, parseHeader, writeSafetensors, type SafetensorsFile, type TensorToWrite } from '../io/safetensors';
import type { BufferSpec } from '../plan/types';
import type { Period } from './protocol';
import type { Engine } from './engine';
import type { ParkedState, TrainerState } from './trainer';

export interface CheckpointState {
  readonly version: 1;
  readonly config: RunConfig;
  readonly trainer: TrainerState;
  readonly loader: { readonly epoch: number; readonly cursor: number };
  /** Of model shape and training samples: a resume on other data is refused. */
  readonly fingerprint: string;
  readonly schedule: readonly Period[];
  readonly evalLoss: readonly { readonly step: number; readonly loss: number }[];
  /** Tokens and seconds of training so far. */
  readonly tokens: number;
  readonly seconds: number;
  /** Kernel choices of the run; a resume uses the same. */
  readonly kernels: string;
}

/** Where checkpoints are kept: the latest whole one is what `open` gives. */
export interface CheckpointStore {
  /** Writes a new file, then makes it the latest. */
  write(step: number, file: SafetensorsFile): Promise<void>;
  open(): Promise<CheckpointReader | null>;
  clear(): Promise<void>;
}

export interface CheckpointReader {
  readonly size: number;
  read(start: number, end: number): Promise<Uint8Array<ArrayBuffer>>;
}

const STATE_KEY = 'lisa-studio';

/** Buffers that make up the state of a run, by name in the file. */
function stateBuffers(engine: Engine): Map<string, BufferSpec> {
  const { blocks, adapters, edges, slots } = engine.plan.buffers;
  const buffers = new Map<string, BufferSpec>();
  // LoRA's base never changes: the model files have it.
  if (!engine.plan.input.lora) for (const [name, { spec }] of blocks) buffers.set(`weights/${name}`, spec);
  adapters.forEach(({ spec }, layer) => buffers.set(`adapter/${layer}`, spec));
  for (const of of [...edges.values(), ...slots]) {
    buffers.set(`m/${of.name}`, of.m);
    buffers.set(`v/${of.name}`, of.v);
  }
  return buffers;
}

/** The checkpoint of a run as it is now; the GPU must be idle until the file has been written. */
export function checkpointFile(engine: Engine, parked: ReadonlyMap<number, ParkedState>, state: CheckpointState): SafetensorsFile {
  const tensors: TensorToWrite[] = [];
  const add = (name: string, bytes: number, read: () => Promise<Uint8Array<ArrayBuffer>>): void => {
    tensors.push({ name, dtype: 'f32', shape: [bytes / 4], data: async () => new Float32Array((await read()).buffer) });
  };
  for (const [name, spec] of stateBuffers(engine)) add(name, spec.bytes, () => engine.readWhole(spec));
  for (const [layer, { m, v }] of parked) {
    add(`parked/${layer}.m`, m.byteLength, () => Promise.resolve(m));
    add(`parked/${layer}.v`, v.byteLength, () => Promise.resolve(v));
  }
  return writeSafetensors(tensors, { [STATE_KEY]: JSON.stringify(state) });
}

const corrupt = (detail: string, cause?: unknown): AppError =>
  new AppError('CHECKPOINT_CORRUPT', `The checkpoint cannot be used: ${detail}.`, 'Start the run again from the model.', { cause });

async function readHeader(reader: CheckpointReader): Promise<ReturnType<typeof parseHeader>> {
  try {
    const size = headerSize(await reader.read(0, Math.min(8, reader.size)), reader.size, 'checkpoint');
    return parseHeader(await reader.read(0, size), reader.size, 'checkpoint');
  } catch (cause) {
    throw corrupt(cause instanceof Error ? cause.message : 'it is cut short', cause);
  }
}

export async function readCheckpointState(reader: CheckpointReader): Promise<CheckpointState> {
  const { metadata } = await readHeader(reader);
  try {
    const state = JSON.parse(metadata.get(STATE_KEY) ?? '') as CheckpointState;
    if (state.version !== 1) throw new Error(`version ${String(state.version)}`);
    return state;
  } catch (cause) {
    throw corrupt('it does not hold the state of a run', cause);
  }
}

/** Fills the engine's buffers, and returns parked states. Throws CHECKPOINT_MISMATCH where the run is another. */
export async function restoreCheckpoint(engine: Engine, reader: CheckpointReader): Promise<Map<number, ParkedState>> {
  const { tensors } = await readHeader(reader);
  const load = async (name: string, bytes: number): Promise<Uint8Array<ArrayBuffer>> => {
    const entry = tensors.get(name);
    if (!entry || entry.end - entry.begin !== bytes) {
      throw new AppError('CHECKPOINT_MISMATCH', `The checkpoint does not fit this run: ${name} is ${entry ? 'of another size' : 'missing'}.`, 'Resume with the model and settings of the run that wrote it.');
    }
    return reader.read(entry.begin, entry.end);
  };
  for (const [name, spec] of stateBuffers(engine)) engine.writeWhole(spec, await load(name, spec.bytes));
  const parked = new Map<number, ParkedState>();
  for (const name of tensors.keys()) {
    const match = /^parked\/(\d+)\.m$/.exec(name);
    if (!match) continue;
    const bytes = engine.plan.buffers.slots[0].m.bytes;
    parked.set(Number(match[1]), { m: await load(name, bytes), v: await load(`parked/${match[1]}.v`, bytes) });
  }
  return parked;
}
