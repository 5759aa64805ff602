// Two files, delta.safetensors and delta.json: the tensors that training changed, and the base model that they belong to. This
// file has what both directions share, and the way back: base and delta together are the tuned model, bit for bit. base_sha256
// is the SHA-256 of one line per tensor, sorted and joined by newlines. A line has the tensor's name and the SHA-256 of each 4
// MiB of its values as f32, with spaces between.

import { AppError } from '../base/errors';
import { shown } from '../model/config';
import { elementsOf, type ParameterRow } from '../model/types';
import type { DeclaredEnding } from './declared-ending';
import type { ReadTensor } from './folder';
import type { FileSource } from '../io/sources/file-source';
import type { ModelFiles } from '../io/sources/model-files';
import { decodeTensor, headerSize, parseHeader, type SafetensorsHeader, type TensorEntry } from '../io/formats/safetensors';

export const DELTA_WEIGHTS = 'delta.safetensors';
export const DELTA_ABOUT = 'delta.json';

async function sha256(data: ArrayBufferView<ArrayBuffer>): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest('SHA-256', data));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Computes base_sha256 while a model's tensors stream by. */
export class BaseDigest {
  readonly #lines = new Map<string, string[]>();

  /** The next piece of the tensor of this name. */
  async add(name: string, piece: Float32Array<ArrayBuffer>): Promise<void> {
    const line = this.#lines.get(name) ?? [name];
    line.push(await sha256(piece));
    this.#lines.set(name, line);
  }

  value(): Promise<string> {
    const lines = Array.from(this.#lines.values(), (line) => line.join(' '));
    return sha256(new TextEncoder().encode(lines.sort().join('\n')));
  }
}

const refuse = (detail: string, remedy: string): AppError => new AppError('MODEL_FILE', detail, remedy);
const AGAIN = 'Export the delta again: both of its files, from one run.';

/** The largest delta.json that is read. */
const MAX_ABOUT = 64 * 2 ** 20;

/** What a delta adds to its base. */
export interface OpenedDelta {
  readonly tensor: ReadTensor;
  readonly ending?: DeclaredEnding;
}

interface About {
  readonly base: string;
  readonly baseName: string;
  readonly names: readonly string[];
  readonly ending: DeclaredEnding | null;
}

async function readAbout(source: FileSource): Promise<About> {
  const size = await source.size(DELTA_ABOUT);
  if (size > MAX_ABOUT) throw refuse(`${DELTA_ABOUT} has ${size} bytes; at most ${MAX_ABOUT} are read.`, AGAIN);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(await source.read(DELTA_ABOUT, 0, size)));
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError('MODEL_FILE', `${DELTA_ABOUT} is not valid JSON.`, AGAIN, { cause });
  }
  const fields = new Map<string, unknown>(typeof json === 'object' && json !== null ? Object.entries(json) : []);
  const base = fields.get('base_sha256');
  const tensors = fields.get('tensors');
  const baseName = fields.get('base_model');
  if (typeof base !== 'string' || !/^[0-9a-f]{64}$/.test(base)) throw refuse(`${DELTA_ABOUT} has no base_sha256.`, AGAIN);
  const names = Array.isArray(tensors) ? tensors.map((tensor: unknown) => (tensor as { name?: unknown } | null)?.name) : null;
  if (!names?.every((name): name is string => typeof name === 'string')) throw refuse(`${DELTA_ABOUT} has no list of tensors.`, AGAIN);
  return { base, baseName: typeof baseName === 'string' ? baseName : '', names, ending: readEnding(fields.get('ending')) };
}

/** Null in deltas of older versions, which did not have it. */
function readEnding(value: unknown): DeclaredEnding | null {
  if (typeof value !== 'object' || value === null) return null;
  const { token, stopIds, renames } = value as { readonly [key: string]: unknown };
  const isId = (id: unknown): id is number => Number.isInteger(id) && (id as number) >= 0;
  if (!Array.isArray(stopIds) || !stopIds.every(isId) || typeof renames !== 'boolean')
    throw refuse(`${DELTA_ABOUT} has a malformed ending.`, AGAIN);
  if (token === null) return { token, stopIds, renames };
  const { id, text } = (token ?? {}) as { readonly id?: unknown; readonly text?: unknown };
  if (!isId(id) || typeof text !== 'string') throw refuse(`${DELTA_ABOUT} has a malformed ending.`, AGAIN);
  return { token: { id, text }, stopIds, renames };
}

async function readHeader(source: FileSource): Promise<SafetensorsHeader> {
  const fileSize = await source.size(DELTA_WEIGHTS);
  const size = headerSize(await source.read(DELTA_WEIGHTS, 0, Math.min(8, fileSize)), fileSize, DELTA_WEIGHTS);
  return parseHeader(await source.read(DELTA_WEIGHTS, 0, size), fileSize, DELTA_WEIGHTS);
}

/**
 * The tuned model's tensors, for the export. Everything is checked before the first is read: that the two files belong
 * together, that every tensor of theirs is one of the base with its shape, and that the base is the one it was trained from
 * (which reads the base once). Throws MODEL_FILE, TENSOR_SHAPE or TENSOR_DTYPE.
 */
export async function openDelta(base: ModelFiles, source: FileSource): Promise<OpenedDelta> {
  const about = await readAbout(source);
  const { tensors, metadata } = await readHeader(source);
  if (metadata.get('base_sha256') !== about.base || [...tensors.keys()].sort().join('\n') !== [...about.names].sort().join('\n'))
    throw refuse(`${DELTA_ABOUT} and ${DELTA_WEIGHTS} are from different runs.`, AGAIN);
  const changed = matchRows(base, tensors);
  const digest = new BaseDigest();
  for await (const { row, data } of base.pieces()) await digest.add(base.fileName(row), data);
  if ((await digest.value()) !== about.base) {
    throw refuse(
      `${base.name} is not the model that the delta was made from (${shown(about.baseName)}): its weights differ.`,
      'Give the folder of that model, in the version that was trained.',
    );
  }
  const tensor: ReadTensor = async (row, start = 0, end = elementsOf(row)) => {
    const entry = changed.get(row.name);
    if (!entry) return base.tensor(row, start, end);
    return decodeTensor(await source.read(DELTA_WEIGHTS, entry.begin + start * 4, entry.begin + end * 4), 'f32');
  };
  return { tensor, ...(about.ending && { ending: about.ending }) };
}

function matchRows(base: ModelFiles, tensors: ReadonlyMap<string, TensorEntry>): Map<string, TensorEntry> {
  const rows = new Map<string, ParameterRow>(base.table.map((row) => [base.fileName(row), row]));
  const changed = new Map<string, TensorEntry>();
  for (const [name, entry] of tensors) {
    const row = rows.get(name);
    if (!row) throw refuse(`${DELTA_WEIGHTS}: ${base.name} has no tensor ${shown(name)}.`, 'Give the model that the delta was made from.');
    if (entry.shape.join() !== row.shape.join())
      throw new AppError(
        'TENSOR_SHAPE',
        `${DELTA_WEIGHTS}: tensor ${shown(name)} has shape ${shown(entry.shape)}, in ${base.name} ${shown(row.shape)}.`,
        'Give the model that the delta was made from.',
      );
    if (entry.dtype !== 'F32')
      throw new AppError('TENSOR_DTYPE', `${DELTA_WEIGHTS}: tensor ${shown(name)} is stored as ${shown(entry.dtype)}.`, AGAIN);
    changed.set(row.name, entry);
  }
  return changed;
}
