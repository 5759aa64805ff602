// Reads the fixtures of models that came in 16 bits: LISA runs in which a layer that leaves is rounded back (Node only).
// src/testing/fixtures/README.md says what the files hold.

import type { Half } from '../dispatch/types';
import {
  fixtureJson,
  fixtureModel,
  readTensors,
  type FixtureModel,
  type FixtureRun,
  type FixtureTensors,
  type ZeroRange,
} from './fixtures';

export const STORED_FIXTURES = ['tiny-llama-bf16', 'tiny-gpt2-f16'] as const;
export type StoredFixtureName = (typeof STORED_FIXTURES)[number];

/** Keys "<period>/<tensor>": the stay of a layer that ends with this period. */
interface StoredRun extends Pick<FixtureRun, 'steps' | 'microBatches' | 'optimizer' | 'losses' | 'gradNorms'> {
  readonly lisa: NonNullable<FixtureRun['lisa']>;
  /** Tensors that are rounded when their layer leaves, and that lie packed while they do not train. */
  readonly packed: readonly string[];
  /** Loss of batch 0 after the last step, and once the last layers are rounded too. */
  readonly lastRounding: { readonly before: number; readonly after: number };
  readonly zeroInTheory: readonly ZeroRange[];
  readonly float32: {
    readonly losses: readonly number[];
    readonly gradNorms: readonly number[];
    /** Error of the difference that the last rounding makes. */
    readonly lastRounding: number;
    /** L2-relative, by stay and tensor. */
    readonly moved: Readonly<Record<string, number>>;
    /** Largest absolute error of one element. */
    readonly largest: Readonly<Record<string, number>>;
    /** How many elements float32 rounds otherwise. */
    readonly differing: Readonly<Record<string, number>>;
    readonly norm: Readonly<Record<string, number>>;
  };
  /** Master when the layer leaves − weight when it joined. */
  readonly moved: FixtureTensors;
  /** The stored values after it has left. */
  readonly left: FixtureTensors;
  /** W − W0 of the final norm, which is always on. */
  readonly norm: FixtureTensors;
}

export interface StoredFixture extends FixtureModel {
  readonly name: StoredFixtureName;
  readonly stored: Half;
  readonly run: StoredRun;
}

export function loadStoredFixture(name: StoredFixtureName): StoredFixture {
  const { dtype, ...run } = fixtureJson<Omit<StoredRun, 'moved' | 'left' | 'norm'> & { readonly dtype: 'F16' | 'BF16' }>(
    `${name}/run-stored.json`,
  );
  const tensors = readTensors(`${name}/run-stored.safetensors`);
  const under = (prefix: string): FixtureTensors =>
    new Map([...tensors].filter(([key]) => key.startsWith(`${prefix}/`)).map(([key, tensor]) => [key.slice(prefix.length + 1), tensor]));
  return {
    ...fixtureModel(name),
    name,
    stored: dtype === 'F16' ? 'f16' : 'bf16',
    run: { ...run, moved: under('moved'), left: under('left'), norm: under('norm') },
  };
}
