import { expect, test } from 'vitest';
import { policiesOf } from './policies';
import { configFaults, DEFAULTS, type RunConfig } from './run-config';

const of = (changes: Partial<RunConfig>, tied = false) => policiesOf({ ...DEFAULTS, ...changes }, tied);
const HEAD_ONLY = { embedding: false, head: true, norm: false };

test('what is not given is as the shorthand says', () => {
  expect(of({})).toEqual({ embedding: 'on', head: 'on', norm: 'on' });
  expect(of({ alwaysOn: HEAD_ONLY })).toEqual({ embedding: 'off', head: 'on', norm: 'off' });
  expect(of({ alwaysOn: HEAD_ONLY, lisaEmbedding: 'rows', lisaNorm: 'on' })).toEqual({ embedding: 'rows', head: 'on', norm: 'on' });
});

test('tied weights have one policy, whichever option gives it; the shorthand turns it on by either name', () => {
  expect(of({ lisaEmbedding: 'rows' }, true)).toMatchObject({ embedding: 'rows', head: 'rows' });
  expect(of({ lisaHead: 'off' }, true)).toMatchObject({ embedding: 'off', head: 'off' });
  expect(of({ alwaysOn: HEAD_ONLY }, true)).toMatchObject({ embedding: 'on', head: 'on' });
  expect(of({ alwaysOn: HEAD_ONLY, lisaHead: 'rows', lisaEmbedding: 'rows' }, true)).toMatchObject({ embedding: 'rows', head: 'rows' });
});

test('two policies for one tensor are refused by name; for two tensors, or if they are equal, they are fine', () => {
  const faults = (changes: Partial<RunConfig>, tied: boolean) =>
    configFaults({ ...DEFAULTS, ...changes }, { layers: 8, maxPositions: 512, tied });
  const unequal = { lisaEmbedding: 'rows', lisaHead: 'on' } as const;
  expect(faults(unequal, true)).toMatchObject([
    { key: 'lisaHead', problem: expect.stringContaining('on for the head contradicts rows') as string },
  ]);
  expect(faults(unequal, false)).toEqual([]);
  expect(faults({ ...unequal, method: 'full' }, true)).toEqual([]);
  expect(faults({ lisaEmbedding: 'off', lisaHead: 'off' }, true)).toEqual([]);
  expect(faults({ alwaysOn: HEAD_ONLY }, true)).toEqual([]);
});
