import { expect, test } from 'vitest';
import { DEFAULTS } from '../../config/run-config';
import type { Prepared } from '../../train/events';
import { elsewhereFacts } from './elsewhere-facts';

const of = (format: string) =>
  elsewhereFacts(DEFAULTS, {
    modelName: 'org/name',
    shape: { style: 'gpt2' } as unknown as Prepared['shape'],
    data: { name: 'rows.csv', format } as unknown as Prepared['data'],
  });

test('what a run says of itself is what other engines are told', () => {
  expect(of('messages')).toEqual({ config: DEFAULTS, model: 'org/name', style: 'gpt2', data: 'rows.csv', chat: true });
  expect(['text', 'plain', 'csv:text'].map((format) => of(format).chat)).toEqual([false, false, false]);
  expect(['prompt_completion', 'instruction', 'csv:messages'].map((format) => of(format).chat)).toEqual([true, true, true]);
});
