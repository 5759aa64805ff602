// The folder that a program of the terminal writes its results to. It writes only into an empty or new folder or one of its own, one
// process at a time. What an own folder holds already is replaced only on demand: the new results are written beside it, and take
// its place when they are complete, so until then the old ones stay whole.

import { randomUUID } from 'node:crypto';
import { access, constants, mkdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { AppError } from '../../base/errors';
import type { ExportFile } from '../formats/export-file';
import { isWeightFile } from '../formats/shards';
import { CHECKPOINT_FOLDER, CHECKPOINT_POINTER } from './checkpoints';
import { livingHolder, tryLock, type LockHolder } from './lock';
import {
  contentsOf,
  exportsWithoutMarker,
  isHousekeeping,
  LOCK,
  MARKER,
  namesIn,
  readMarker,
  writeMarker,
  type Contents,
  type Marker,
} from './marker';
import { removeCreated, removeTemporaries, storage, writeFolder } from './output';
import { overlap, realPath } from './overlap';

export interface OutputRequest {
  /** The option that names the folder, for messages: '--out'. */
  readonly flag: string;
  readonly path: string;
  /** What the program reads, by its option. Paths that do not exist, such as the name of a built-in model, overlap nothing. */
  readonly inputs: readonly { readonly flag: string; readonly path: string }[];
  /** Replace what an own folder holds. */
  readonly overwrite: boolean;
  /** The folder holds a checkpoint of this project that is read; the run continues there. */
  readonly resumes?: boolean;
  /** A line for a person. */
  readonly say?: (line: string) => void;
}

/** The folder that takes another one's place, and the one whose place was taken. */
const [NEXT, PREVIOUS] = ['.new', '.old'];

const refusal = (detail: string, remedy: string): AppError => new AppError('CONFIG_INVALID', detail, remedy);
const ANOTHER = 'Give a new or empty folder.';

/** Where a program may write, found without writing anything; `claim` takes it. Throws CONFIG_INVALID and STORAGE. */
export async function planOutput(request: OutputRequest): Promise<OutputPlan> {
  const { flag, path, inputs, overwrite, resumes = false } = request;
  const named = `${flag}: ${path}`;
  const info = await stat(path).catch(() => null);
  if (info && !info.isDirectory()) throw refusal(`${named} is a file.`, 'Give a directory.');
  for (const input of inputs) {
    const how = await overlap(path, input.path);
    if (how === 'is') throw refusal(`${named} is the folder of ${input.flag}.`, 'Give another directory.');
    if (how === 'holds') throw refusal(`${named} holds ${input.flag} ${input.path}.`, 'Give another directory.');
  }
  const target = await realPath(path);
  await settle(target);
  await checkWritable(target);
  const names = await storage(target, () => namesIn(target));
  const holder = livingHolder(join(target, LOCK));
  if (holder) throw inUse(path, holder);
  const marker = await readMarker(target);
  if (resumes) return new OutputPlan(request, target, target, marker);
  if (names === null || names.every(isHousekeeping)) return new OutputPlan(request, target, target, marker);
  if (!marker) throw refusal(`${named} is not empty, and what is in it was not made by LISA Studio.`, ANOTHER);
  const contents = await contentsOf(target, marker);
  refuseForeign(named, contents);
  if (!isWorthKeeping(contents)) return new OutputPlan(request, target, target, marker);
  if (!overwrite) {
    const finished = marker.files.length > 0;
    throw refusal(
      `${named} already holds ${finished ? 'results' : 'a run that was stopped or killed'}.`,
      finished
        ? 'Give another folder, or --overwrite to replace them.'
        : `Resume it with --resume ${path}, or replace it with --overwrite.`,
    );
  }
  if ((await stat(target)).dev !== (await stat(dirname(target))).dev)
    throw refusal(`${named} is where a disk is mounted, so it cannot be replaced in one piece.`, 'Give a new folder in it.');
  if (await stat(target + PREVIOUS).catch(() => null))
    throw refusal(`${flag}: ${path} cannot be replaced while there is ${target + PREVIOUS}.`, 'Move it away, or give another folder.');
  const next = target + NEXT;
  await checkWritable(next);
  const waiting = await storage(next, () => namesIn(next));
  const nextMarker = await readMarker(next);
  if (waiting && waiting.length > 0 && !nextMarker)
    throw refusal(
      `${flag}: the new results would be written to ${next} first, which is not empty.`,
      'Move it away, or give another folder.',
    );
  if (nextMarker) refuseForeign(`${flag}: ${next}`, await contentsOf(next, nextMarker));
  const other = livingHolder(join(next, LOCK));
  if (other) throw inUse(next, other);
  return new OutputPlan(request, target, next, nextMarker);
}

function refuseForeign(named: string, { foreign }: Contents): void {
  if (foreign.length === 0) return;
  const more = foreign.length > 1 ? ` and ${foreign.length - 1} more files` : '';
  throw refusal(`${named} also holds ${foreign[0]}${more}, which LISA Studio did not write.`, 'Move it elsewhere, or give another folder.');
}

/** Lines of steps whose weights nobody has are not a run, and neither is a first checkpoint that was not finished. */
function isWorthKeeping({ own }: Contents): boolean {
  const unfinished = (path: string): boolean => path.startsWith(`${CHECKPOINT_FOLDER}/`) && !own.includes(CHECKPOINT_POINTER);
  return own.some((path) => !isHousekeeping(path) && path !== 'metrics.jsonl' && !unfinished(path));
}

const inUse = (path: string, holder: LockHolder | null): AppError =>
  refusal(
    `Another process ${holder ? `(${holder.pid} on ${holder.host}) ` : ''}writes to ${path} now.`,
    `Give another folder, or wait. If there is no such process, delete ${join(path, LOCK)}.`,
  );

/** Finds out before a run, not after it, that a folder cannot be written. */
async function checkWritable(target: string): Promise<void> {
  for (let at = target; ; at = dirname(at)) {
    const found = await stat(at).then(
      () => true,
      (thrown: NodeJS.ErrnoException) => {
        if (thrown.code === 'ENOENT' && dirname(at) !== at) return false;
        return storage(target, () => Promise.reject(thrown));
      },
    );
    if (found) return storage(target, () => access(at, constants.W_OK));
  }
}

/** Ends a replacement that was killed between its two renames, or before the replaced folder was removed. */
async function settle(target: string): Promise<void> {
  const previous = await readMarker(target + PREVIOUS);
  if (!previous || livingHolder(join(target + PREVIOUS, LOCK))) return;
  if (!(await stat(target).catch(() => null))) {
    const next = await readMarker(target + NEXT);
    const ready = next?.replaces?.id === previous.id;
    await storage(target, () => rename(target + (ready ? NEXT : PREVIOUS), target));
  }
  const now = await readMarker(target);
  if (now?.replaces?.id === previous.id) await removeOwn(target + PREVIOUS, previous);
}

/** Removes what is ours of a folder, and the folder where nothing else is in it. Returns what is left. */
async function removeOwn(folder: string, marker: Marker): Promise<readonly string[]> {
  const { own, foreign } = await contentsOf(folder, marker);
  const folders = new Set(own.flatMap((path) => (path.includes('/') ? [path.slice(0, path.lastIndexOf('/'))] : [])));
  // The marker last: until then a later run knows the folder.
  for (const path of own) if (path !== MARKER) await storage(folder, () => rm(join(folder, path), { force: true }));
  for (const below of folders) await rmdir(join(folder, below)).catch(() => undefined);
  if (foreign.length === 0) {
    await storage(folder, () => rm(join(folder, MARKER), { force: true }));
    await rmdir(folder).catch(() => undefined);
  }
  return foreign;
}

export class OutputPlan {
  constructor(
    readonly request: OutputRequest,
    /** The folder that the results are for. */
    readonly target: string,
    /** Where they are written: the same folder, or the one that takes its place. */
    readonly place: string,
    /** Of `place`. */
    readonly marker: Marker | null,
  ) {}

  /** Makes the folder, locks it and marks it as ours, and removes what a killed process left half-written. Throws CONFIG_INVALID, STORAGE. */
  async claim(): Promise<OutputFolder> {
    const { request, target, place } = this;
    const created = await storage(place, () => mkdir(place, { recursive: true }));
    const locks: (() => void)[] = [];
    const unlock = (): void => locks.splice(0).forEach((release) => release());
    try {
      for (const folder of new Set([target, place])) {
        const wait = (holder: LockHolder | null): void =>
          request.say?.(
            `Waiting for a sign of life of ${holder ? `process ${holder.pid} on ${holder.host}` : 'the process'} that writes to ${folder}.`,
          );
        locks.push(await storage(folder, () => tryLock(join(folder, LOCK), (holder) => inUse(folder, holder), wait)));
      }
      let marker = await this.#mark();
      await removeTemporaries(place, ['', CHECKPOINT_FOLDER, 'adapter']);
      if (!request.resumes) marker = await this.#clear(marker);
      return new OutputFolder(this, marker, created, unlock);
    } catch (thrown) {
      unlock();
      if (created !== undefined) await removeCreated(place, created);
      throw thrown;
    }
  }

  async #mark(): Promise<Marker> {
    const { request, target, place } = this;
    // Another process may have been here since it was planned.
    const found = await readMarker(place);
    const names = (await namesIn(place)) ?? [];
    if (!found && !request.resumes && !names.every(isHousekeeping))
      throw refusal(`${request.flag}: ${request.path} is not empty any more.`, ANOTHER);
    if (request.resumes && found) return found;
    const replaced = place === target ? null : await readMarker(target);
    const marker = {
      id: randomUUID(),
      files: request.resumes ? await exportsWithoutMarker(place) : (found?.files ?? []),
      ...(replaced && { replaces: { name: basename(target), id: replaced.id } }),
    };
    await writeMarker(place, marker);
    return marker;
  }

  /** A new run begins without the checkpoint and the lines of an earlier one, which nobody wants to keep. */
  async #clear(marker: Marker): Promise<Marker> {
    const { own } = await contentsOf(this.place, marker);
    for (const path of own) if (!isHousekeeping(path)) await storage(this.place, () => rm(join(this.place, path), { force: true }));
    await rmdir(join(this.place, CHECKPOINT_FOLDER)).catch(() => undefined);
    await rmdir(join(this.place, 'adapter')).catch(() => undefined);
    if (marker.files.length > 0) await writeMarker(this.place, { ...marker, files: [] });
    return { ...marker, files: [] };
  }
}

export class OutputFolder {
  #marker: Marker;
  readonly #plan: OutputPlan;
  readonly #created: string | undefined;
  readonly #unlock: () => void;

  constructor(plan: OutputPlan, marker: Marker, created: string | undefined, unlock: () => void) {
    this.#plan = plan;
    this.#marker = marker;
    this.#created = created;
    this.#unlock = unlock;
  }

  /** Where to write. */
  get path(): string {
    // As the person gave it, where it is that folder: messages and reports name it.
    return this.#plan.place === this.#plan.target ? this.#plan.request.path : this.#plan.place;
  }

  /** The folder whose place this one takes in `finish`; null if there is none. */
  get replaces(): string | null {
    const { replaces } = this.#marker;
    return replaces ? join(dirname(this.#plan.place), replaces.name) : null;
  }

  /**
   * Writes all files or none. A file that somebody else put there under one of their names stays, and is named. Weights of an earlier
   * export in files of other names are removed once the new ones are there.
   */
  async write(files: readonly ExportFile[]): Promise<void> {
    const folder = this.#plan.place;
    const known = new Set(this.#marker.files);
    for (const { path } of files) {
      if (known.has(path) || !(await stat(join(folder, path)).catch(() => null))) continue;
      throw new AppError(
        'STORAGE',
        `${join(folder, path)} would be replaced, but LISA Studio did not write it.`,
        'Move it elsewhere, then resume the run: its last checkpoint is there.',
      );
    }
    const written = new Set(files.map(({ path }) => path));
    await this.#list([...new Set([...known, ...written])]);
    await writeFolder(folder, files);
    const stale = files.some(({ path }) => isWeightFile(path)) ? [...known].filter((name) => isWeightFile(name) && !written.has(name)) : [];
    for (const name of stale) await storage(folder, () => rm(join(folder, name), { force: true }));
    if (stale.length > 0) await this.#list(this.#marker.files.filter((name) => !stale.includes(name)));
  }

  async #list(files: readonly string[]): Promise<void> {
    if (files.length === this.#marker.files.length && files.every((name) => this.#marker.files.includes(name))) return;
    this.#marker = { ...this.#marker, files };
    await writeMarker(this.#plan.place, this.#marker);
  }

  /**
   * The results are complete: they take the place of the ones before. Returns the folder that they are in now. Throws STORAGE; both
   * folders are then whole.
   */
  async finish(): Promise<string> {
    const { place } = this.#plan;
    const target = this.replaces;
    if (target === null || place === target) return this.path;
    const old = await readMarker(target);
    const gone = !(await stat(target).catch(() => null));
    const contents = old && (await contentsOf(target, old));
    const changed = !gone && (old?.id !== this.#marker.replaces?.id || (contents?.foreign.length ?? 0) > 0);
    if (changed || (!gone && this.#plan.target !== target && livingHolder(join(target, LOCK)))) {
      this.#plan.request.say?.(`${target} has changed meanwhile and is left as it is; the new results are in ${place}.`);
      return place;
    }
    const aside = target + PREVIOUS;
    if (!gone) await storage(aside, () => rename(target, aside));
    try {
      await storage(target, () => rename(place, target));
    } catch (thrown) {
      // If that fails too, the next program that looks does it, and must not find this one's lock.
      if (!gone) await rename(aside, target).catch(() => rm(join(aside, LOCK), { force: true }));
      throw thrown;
    }
    // The locks moved with their folders.
    await rm(join(target, LOCK), { force: true });
    if (old) await removeOwn(aside, old);
    return this.#plan.request.resumes ? target : this.#plan.request.path;
  }

  /** Lets go of the folder; what holds nothing but our marker is removed. */
  async release(): Promise<void> {
    const { place } = this.#plan;
    const names = await namesIn(place).catch(() => null);
    const unused = names?.every(isHousekeeping) ?? false;
    if (unused) await rm(join(place, MARKER), { force: true });
    this.#unlock();
    if (unused && this.#created !== undefined) await removeCreated(place, this.#created);
  }
}
