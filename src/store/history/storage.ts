// The history's place in the browser: IndexedDB. Each run has a summary and a record, written in one transaction, so
// that the list never names a run that is not there.

import { clear, createStore, delMany, getMany, keys, setMany, get, type UseStore } from 'idb-keyval';
import { configOf, withCurrentNames } from '../../config/run-config';
import type { RunRecord, RunSummary } from './record';

export interface HistoryStorage {
  summaries(): Promise<RunSummary[]>;
  record(runId: string): Promise<RunRecord | undefined>;
  write(summary: RunSummary, record: RunRecord): Promise<void>;
  writeSummary(summary: RunSummary): Promise<void>;
  remove(runId: string): Promise<void>;
  removeAll(): Promise<void>;
}

const SUMMARY = 'summary/';
const RECORD = 'record/';

/** Settings under their current names, however old the run is. */
const current = <T extends RunSummary | RunRecord>(kept: T): T => ({ ...kept, config: configOf(withCurrentNames(kept.config)) });

export function browserStorage(): HistoryStorage {
  let opened: UseStore | undefined;
  // Opened only when needed, because opening throws if storage is blocked.
  const store = (): UseStore => (opened ??= createStore('lisa-studio-history', 'runs'));
  return {
    async summaries() {
      const names = (await keys<string>(store())).filter((key) => key.startsWith(SUMMARY));
      const found = await getMany<RunSummary>(names, store());
      return found.filter((summary) => summary !== undefined).map(current);
    },
    record: async (runId) => {
      const found = await get<RunRecord>(RECORD + runId, store());
      return found && current(found);
    },
    write: (summary, record) =>
      setMany(
        [
          [SUMMARY + summary.runId, summary],
          [RECORD + summary.runId, record],
        ],
        store(),
      ),
    writeSummary: (summary) => setMany([[SUMMARY + summary.runId, summary]], store()),
    remove: (runId) => delMany([SUMMARY + runId, RECORD + runId], store()),
    removeAll: () => clear(store()),
  };
}
