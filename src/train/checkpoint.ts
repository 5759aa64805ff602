// A checkpoint: one safetensors file that holds all buffers of a run's state byte for byte, with the rest of the
// state as JSON in its metadata, and a checksum of each. It is written to a new file and the pointer is swapped last (the checkpoint
// storages do that), so a kill at any moment leaves the old one or the new one.

import { configOf, withCurrentNames, type RunConfig } from '../config/run-config';
import { AppError } from '../base/errors';
import type { CheckpointReader } from '../io/formats/checkpoints';
import { piecesOf } from '../io/formats/pieces';
import {
  headerSize,
  parseHeader,
  writeSafetensors,
  type SafetensorsFile,
  type SafetensorsHeader,
  type TensorEntry,
  type TensorToWrite,
} from '../io/formats/safetensors';
import type { BlockName } from '../model/types';
import { KERNEL_SET, type KernelChoice } from '../plan/input';
import type { ShardedBuffer } from '../plan/sharded-buffer';
import type { BufferSpec } from '../dispatch/types';
import type { HeldOut, PeriodUpdate } from './events';
import type { Engine } from '../engine/engine';
import type { AdaptiveState } from '../lisa/adaptive';
import type { BlockState, ParkedState, SlotState } from '../lisa/controller';

/** How far the training has come, and how many updates each optimizer state has seen. */
interface TrainerState {
  /** Completed optimizer steps. */
  readonly step: number;
  readonly slots: readonly SlotState[];
  /** [layer, updates] of parked layers. */
  readonly parked: readonly (readonly [number, number])[];
  /** Blocks that are drawn like layers; files of earlier versions have none. */
  readonly blocks?: readonly BlockState[];
}

/** The schedule is not in it, because it follows from config. (Early files of version 2 also hold the schedule; it is not read.) */
export interface CheckpointState {
  readonly version: 2;
  /** Names the run across resumes; '' if it has no name. */
  readonly runId: string;
  readonly config: RunConfig;
  readonly trainer: TrainerState;
  readonly loader: { readonly epoch: number; readonly cursor: number };
  /** Fingerprint of model and samples; a resume with others is refused. */
  readonly fingerprint: string;
  readonly evalLoss: readonly HeldOut[];
  readonly updates: readonly PeriodUpdate[];
  /** What was measured of layers, where draws follow from it; absent elsewhere. */
  readonly importance?: AdaptiveState;
  /** Tokens and seconds of training so far. */
  readonly tokens: number;
  readonly seconds: number;
  /** Kernel choices of the run; a resume uses the same if they still exist. */
  readonly kernels: KernelChoice;
  /** The sets of kernels that the run had (KERNEL_SET), each from the step at which it began; absent before there were numbers. */
  readonly kernelSets?: readonly KernelSetUse[];
  /** The run has ended: the file holds its weights, and none of what only more steps would need (m, v, parked state). */
  readonly ended?: boolean;
}

export interface KernelSetUse {
  readonly set: number;
  readonly step: number;
}

/** The sets of kernels of a run that goes on from this state. */
export function kernelSetsAfter({ kernelSets = [{ set: 1, step: 0 }], trainer }: CheckpointState): readonly KernelSetUse[] {
  const last = kernelSets[kernelSets.length - 1];
  return last.set === KERNEL_SET ? kernelSets : [...kernelSets, { set: KERNEL_SET, step: trainer.step }];
}

/** The part of a run's state that lies in host memory, by layer. */
export interface HostState {
  readonly parked: ReadonlyMap<number, ParkedState>;
  /** Weights at the beginning of the current period (period-watch.ts). */
  readonly before: ReadonlyMap<number, Uint8Array<ArrayBuffer>>;
}

const STATE_KEY = 'lisa-studio';
/**
 * Checksums: of the state's text with the tensors' names, then of each tensor in that order. Its name makes it the last tensor of the file.
 */
const CHECKSUMS = '~checksums';

/**
 * A checksum of 32 bits over `length` bytes that come in pieces; all pieces but the last are whole words. It detects damage, but not
 * forgery.
 */
class Checksum {
  #h: number;

  constructor(length: number) {
    this.#h = length | 0;
  }

  add(bytes: Uint8Array<ArrayBuffer>): this {
    const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
    const words = new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength >>> 2);
    let h = this.#h;
    const mix = (word: number): void => {
      h = Math.imul(h ^ word, 0x9e3779b1);
      h ^= h >>> 15;
    };
    for (const word of words) mix(word);
    for (const byte of aligned.subarray(words.length * 4)) mix(byte);
    this.#h = h;
    return this;
  }

  get value(): number {
    return this.#h >>> 0;
  }
}

function textSum(text: string, names: readonly string[]): number {
  const bytes = new TextEncoder().encode([text, ...names].join('\n'));
  return new Checksum(bytes.byteLength).add(bytes).value;
}

interface StateBuffer {
  readonly buffer: BufferSpec;
  /** The block of weights, if this is its last buffer. */
  readonly completes: BlockName | null;
}

/** Buffers that make up the state of a run, by name in the file, which has a tensor for each. `ended`: of a run that takes no more steps. */
function stateBuffers(engine: Engine, ended = false): Map<string, StateBuffer> {
  const { blocks, adapters, alwaysOn, slots } = engine.plan.buffers;
  const buffers = new Map<string, StateBuffer>();
  const add = (name: string, { shards }: ShardedBuffer, block: BlockName | null = null): void =>
    shards.forEach(({ view: { buffer } }, index) =>
      buffers.set(shards.length === 1 ? name : `${name}/${index}`, { buffer, completes: index === shards.length - 1 ? block : null }),
    );
  // LoRA's base never changes: the model files have it.
  if (!engine.plan.input.lora) for (const [name, { weights }] of blocks) add(`weights/${name}`, weights, name);
  adapters.forEach(({ weights }, layer) => add(`adapter/${layer}`, weights));
  for (const of of [...alwaysOn.values(), ...slots]) {
    // Positions of a block that trains by rows are in the block.
    const shards = of.master?.shards.filter(({ view }) => view.buffer.memory === 'masters') ?? [];
    if (of.master && shards.length > 0) add(`master/${of.name}`, { ...of.master, shards });
  }
  for (const of of ended ? [] : [...alwaysOn.values(), ...slots]) {
    add(`m/${of.name}`, of.m);
    add(`v/${of.name}`, of.v);
  }
  return buffers;
}

/**
 * The checkpoint of a run as it is now; the GPU must be idle until the file has been written. `onPiece` is called
 * before each piece of a tensor is read; if it throws, the writing ends.
 */
export function checkpointFile(
  engine: Engine,
  { parked, before }: HostState,
  state: CheckpointState,
  onPiece: () => Promise<void> = () => Promise.resolve(),
): SafetensorsFile {
  const tensors: TensorToWrite[] = [];
  const text = JSON.stringify(state);
  const sums: number[] = [];
  type ReadBytes = (start: number, end: number) => Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>>;
  const add = (name: string, bytes: number, read: ReadBytes): void => {
    let sum = new Checksum(bytes);
    const data = async (start: number, end: number): Promise<Float32Array<ArrayBuffer>> => {
      await onPiece();
      const piece = await read(start * 4, end * 4);
      if (start === 0) sum = new Checksum(bytes);
      sum.add(piece);
      if (end * 4 === bytes) sums.push(sum.value);
      return new Float32Array(piece.buffer, piece.byteOffset, end - start);
    };
    tensors.push({ name, dtype: 'f32', shape: [bytes / 4], data });
  };
  const { truth } = engine;
  const held = (name: string, bytes: Uint8Array<ArrayBuffer>): void =>
    add(name, bytes.byteLength, (start, end) => bytes.subarray(start, end));
  for (const [name, { buffer }] of stateBuffers(engine, state.ended))
    add(name, buffer.bytes, (start, end) => engine.readWhole(buffer, start, end));
  for (const [layer, { m, v }] of parked) {
    held(`parked/${layer}.m`, m);
    held(`parked/${layer}.v`, v);
  }
  for (const [layer, bytes] of before) held(`before/${layer}`, bytes);
  const inMasters = new Set(engine.layersInMasters);
  for (const layer of truth?.layers.filter((each) => !inMasters.has(each)) ?? [])
    add(`truth/${layer}`, truth!.layerBytes, (start, end) => truth!.readLayer(layer, start, end));
  const names = tensors.map(({ name }) => name).sort();
  // The writer asks for tensors in the order of the file, and asks for this one after all others.
  const check = (): Float32Array<ArrayBuffer> => {
    const words = Uint32Array.of(textSum(text, names), ...sums);
    sums.length = 0;
    return new Float32Array(words.buffer);
  };
  tensors.push({ name: CHECKSUMS, dtype: 'f32', shape: [tensors.length + 1], data: check });
  return writeSafetensors(tensors, { [STATE_KEY]: text });
}

const corrupt = (detail: string, cause?: unknown): AppError =>
  new AppError('CHECKPOINT_CORRUPT', `The checkpoint cannot be used: ${detail}.`, 'Start the run again from the model.', { cause });

const mismatch = (detail: string): AppError =>
  new AppError(
    'CHECKPOINT_MISMATCH',
    `The checkpoint does not fit this run: ${detail}.`,
    'Resume with the model and settings of the run that wrote it.',
  );

interface Opened {
  readonly text: string;
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  /** By tensor name. */
  readonly sums: ReadonlyMap<string, number>;
}

async function openCheckpoint(reader: CheckpointReader): Promise<Opened> {
  let header: SafetensorsHeader;
  try {
    const size = headerSize(await reader.read(0, Math.min(8, reader.size)), reader.size, 'checkpoint');
    header = parseHeader(await reader.read(0, size), reader.size, 'checkpoint');
  } catch (cause) {
    throw corrupt(cause instanceof AppError ? cause.detail.replace(/^checkpoint: |\.$/g, '') : 'it is cut short', cause);
  }
  const text = header.metadata.get(STATE_KEY);
  const list = header.tensors.get(CHECKSUMS);
  const names = [...header.tensors.keys()].filter((name) => name !== CHECKSUMS).sort();
  if ([...header.tensors.values()].some(({ dtype }) => dtype !== 'F32')) throw corrupt('its header is damaged');
  if (text === undefined || !list || list.end - list.begin !== 4 * (names.length + 1)) throw corrupt('it does not hold the state of a run');
  const words = new Uint32Array((await reader.read(list.begin, list.end)).slice().buffer);
  if (words[0] !== textSum(text, names)) throw corrupt('its description of the run is damaged');
  return { text, tensors: header.tensors, sums: new Map(names.map((name, i) => [name, words[i + 1]])) };
}

export async function readCheckpointState(reader: CheckpointReader): Promise<CheckpointState> {
  const { text } = await openCheckpoint(reader);
  try {
    const state = JSON.parse(text) as CheckpointState;
    if (state.version !== 2) throw new Error(`version ${String(state.version)}`);
    // A setting that did not exist when the file was written gets its default, which is how the run behaved without it.
    return { ...state, config: configOf(withCurrentNames(state.config)) };
  } catch (cause) {
    throw corrupt('it was written by another version', cause);
  }
}

/**
 * Fills the engine's buffers, and returns the host's. Throws CHECKPOINT_MISMATCH if it belongs to another run, CHECKPOINT_CORRUPT if bytes
 * are damaged. `onBlock` is called for every block of weights that is on the GPU again.
 */
export async function restoreCheckpoint(
  engine: Engine,
  reader: CheckpointReader,
  onBlock: (name: BlockName) => void | Promise<void> = () => undefined,
): Promise<HostState> {
  const { tensors, sums } = await openCheckpoint(reader);
  const { ended } = await readCheckpointState(reader);
  const unread = new Set(sums.keys());
  const load = async (name: string, bytes: number, take: (piece: Uint8Array<ArrayBuffer>, at: number) => void): Promise<void> => {
    const entry = tensors.get(name);
    unread.delete(name);
    if (!entry || entry.end - entry.begin !== bytes) throw mismatch(`${name} is ${entry ? 'of another size' : 'missing'}`);
    const sum = new Checksum(bytes);
    for (const [start, end] of piecesOf(bytes / 4)) {
      const piece = await reader.read(entry.begin + start * 4, entry.begin + end * 4);
      sum.add(piece);
      take(piece, start * 4);
    }
    if (sum.value !== sums.get(name)) throw corrupt(`${name} is damaged`);
  };
  const loadWhole = async (name: string, bytes: number): Promise<Uint8Array<ArrayBuffer>> => {
    const whole = new Uint8Array(bytes);
    await load(name, bytes, (piece, at) => whole.set(piece, at));
    return whole;
  };
  const { slots } = engine.plan.buffers;
  for (const [name, { buffer, completes }] of stateBuffers(engine, ended)) {
    await load(name, buffer.bytes, (piece, at) => engine.writeWhole(buffer, piece, at));
    // Bytes that were written leave the driver's memory once the GPU has them.
    await engine.executor.idle();
    if (completes !== null) await onBlock(completes);
  }
  const parked = new Map<number, ParkedState>();
  const before = new Map<number, Uint8Array<ArrayBuffer>>();
  for (const name of sums.keys()) {
    const [, kind, layer] = /^(parked|before|truth)\/(\d+)(?:\.m)?$/.exec(name) ?? [];
    if (kind === 'parked') {
      const { bytes } = slots[0].m;
      parked.set(Number(layer), { m: await loadWhole(name, bytes), v: await loadWhole(`parked/${layer}.v`, bytes) });
    } else if (kind === 'before') {
      before.set(Number(layer), await loadWhole(name, slots[0].gradient.bytes));
    } else if (kind === 'truth' && engine.truth) {
      const whole = await loadWhole(name, engine.truth.layerBytes);
      await engine.truth.write(Number(layer), (start, end) => Promise.resolve(whole.slice(start, end)));
    }
  }
  for (const name of unread) throw mismatch(`it holds ${name}, which this run does not train`);
  return { parked, before };
}
