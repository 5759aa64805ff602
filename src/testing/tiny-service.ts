// For tests in Node: the worker's service on the software adapter, with a page that records every message to it.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunConfig } from '../config/run-config';
import { nodeLab } from './node-lab';
import type { Command, Event } from '../worker/protocol';
import type { RunEvent } from '../train/events';
import type { DataSource, ModelSource, KeptSources, SourceStorage } from '../io/sources/run-sources';
import { TrainService } from '../worker/service';
import { ModelCache } from '../io/hub/model-cache';
import { OpfsFinished } from '../io/browser/opfs-finished';
import { OpfsModels } from '../io/browser/opfs-models';
import { TabLock, type Exclusive } from '../io/browser/tab-lock';
import { FakeOpfs } from './fake-opfs';
import type { FixtureName } from './fixtures';
import { writeTinyModel } from './tiny-folder';
import { localReader } from './local-reader';
import { MemoryCheckpoints, textRows } from './tiny-session';

/** A fixture model as a folder that a person picked. */
export function pickedModel(folder: string, fixture: FixtureName, name: string = fixture): ModelSource {
  const path = writeTinyModel(join(folder, fixture), fixture);
  return { kind: 'files', name, files: readdirSync(path).map((file) => new File([readFileSync(join(path, file))], file)) };
}

export function pickedData(count: number, name = 'rows.jsonl'): DataSource {
  return { kind: 'file', file: new File([Uint8Array.from(textRows(count).bytes)], name) };
}

export class MemorySources implements SourceStorage {
  readonly kept = new Map<string, KeptSources>();

  keep(runId: string, sources: KeptSources): Promise<void> {
    this.kept.set(runId, sources);
    return Promise.resolve();
  }

  open(runId: string): Promise<KeptSources | null> {
    return Promise.resolve(this.kept.get(runId) ?? null);
  }

  remove(runId: string): Promise<void> {
    this.kept.delete(runId);
    return Promise.resolve();
  }

  keepOnly(runId: string | null): Promise<void> {
    for (const other of this.kept.keys()) if (other !== runId) this.kept.delete(other);
    return Promise.resolve();
  }
}

export const memoryModels = (opfs = new FakeOpfs()): ModelCache => new ModelCache(new OpfsModels('models', opfs.storage));

export class TestPage {
  readonly events: Event[] = [];
  readonly service: TrainService;
  readonly #waiting = new Set<() => void>();

  constructor(
    readonly checkpoints = new MemoryCheckpoints(),
    readonly sources = new MemorySources(),
    /** Where the cache of models lies. */
    readonly opfs = new FakeOpfs(),
    lock: Exclusive = new TabLock('run', undefined),
  ) {
    this.service = new TrainService({
      openGpu: async () => (await nodeLab()).gpu,
      storage: { checkpoints, sources, finished: new OpfsFinished('finished', opfs.storage), lock },
      models: memoryModels(opfs),
      spawnReader: () => localReader(memoryModels(opfs)),
      post: (event) => {
        this.events.push(event);
        this.#waiting.forEach((look) => look());
      },
    });
  }

  /** The page after a crash of this one: it finds everything that this one has stored so far, and this one does not disturb it. */
  reloaded(): TestPage {
    const page = new TestPage(this.checkpoints.copy(), new MemorySources(), this.opfs);
    for (const [runId, sources] of this.sources.kept) page.sources.kept.set(runId, sources);
    return page;
  }

  send(command: Command): Promise<void> {
    return this.service.handle(command);
  }

  start(runId: string, config: RunConfig, model: ModelSource, data: DataSource, paused = false): Promise<void> {
    return this.send({ type: 'start', runId, config, model, data, paused });
  }

  runEvents(runId: string): RunEvent[] {
    return this.events.flatMap((event) => (event.type === 'run' && event.runId === runId ? [event.event] : []));
  }

  /** Resolves with the first result of `pick` on the events from now on, or from event number `from` on. */
  next<T>(pick: (event: Event) => T | undefined, from = this.events.length): Promise<T> {
    return new Promise((resolve) => {
      const look = (): void => {
        for (const event of this.events.slice(from)) {
          const picked = pick(event);
          if (picked === undefined) continue;
          this.#waiting.delete(look);
          return resolve(picked);
        }
      };
      this.#waiting.add(look);
      look();
    });
  }

  /** The next event of the run that is of this type and fits. */
  nextOf<T extends RunEvent['type']>(
    runId: string,
    type: T,
    fits: (event: Extract<RunEvent, { type: T }>) => boolean = () => true,
    from?: number,
  ): Promise<Extract<RunEvent, { type: T }>> {
    const is = (event: RunEvent): event is Extract<RunEvent, { type: T }> => event.type === type;
    return this.next((e) => (e.type === 'run' && e.runId === runId && is(e.event) && fits(e.event) ? e.event : undefined), from);
  }

  /** The next time that the run is in this phase. */
  phase(runId: string, phase: string, from?: number): Promise<unknown> {
    return this.nextOf(runId, 'phase', (event) => event.phase === phase, from);
  }
}
