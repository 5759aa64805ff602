// The proof that LISA does what it promises, for a run that has ended: asked of the worker, and what it answered.

import { create } from 'zustand';
import type { ErrorInfo } from '../../base/errors';
import type { ProofLine } from '../../train/prove';
import type { Event } from '../../worker/protocol';
import { send } from '../link';
import { endedRun } from './finished';

export interface ProofState {
  /** The run that it is about; null before one was asked for. */
  readonly runId: string | null;
  readonly status: 'idle' | 'proving' | 'proved' | 'failed';
  /** While it is made. */
  readonly what: string;
  readonly fraction: number | null;
  readonly lines: readonly ProofLine[];
  readonly error: ErrorInfo | null;
}

const NOTHING: ProofState = { runId: null, status: 'idle', what: '', fraction: null, lines: [], error: null };

export const useProofStore = create<ProofState>(() => NOTHING);

export function prove(runId: string): void {
  useProofStore.setState({ ...NOTHING, runId, status: 'proving' });
  send({ type: 'prove', ...endedRun(runId) });
}

export function cancelProof(): void {
  useProofStore.setState(NOTHING);
  send({ type: 'cancelProof' });
}

/** Answers about another run, or after it was cancelled, change nothing. */
export function takeProof(event: Extract<Event, { type: 'proving' | 'proved' | 'proveFailed' }>): void {
  const { runId, status } = useProofStore.getState();
  if (event.runId !== runId || status !== 'proving') return;
  switch (event.type) {
    case 'proving':
      return useProofStore.setState({ what: event.what, fraction: event.fraction });
    case 'proved':
      return useProofStore.setState({ status: 'proved', lines: event.lines });
    case 'proveFailed':
      return useProofStore.setState({ status: 'failed', error: event.error });
  }
}
