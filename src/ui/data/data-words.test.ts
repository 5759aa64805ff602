import { describe, expect, test } from 'vitest';
import type { DataPreview, PreviewRow } from '../../data/sample/preview';
import { facts, formatName, lengthSummary, oneLine, rowName, rowSummary, type FactSettings } from './data-words';

const preview = (change: Partial<DataPreview> = {}, counts: Partial<DataPreview['counts']> = {}): DataPreview => ({
  name: 'd.jsonl',
  format: 'messages',
  columns: ['messages'],
  rows: [],
  template: 'model',
  unread: {},
  ending: { of: 'turn', token: { id: 0, text: '<|im_end|>' }, stopIds: [0] },
  badRows: [],
  counts: {
    rows: 826,
    evalRows: 43,
    duplicates: 0,
    tokens: 40_000,
    targets: 30_000,
    truncated: 0,
    perAnswer: 0,
    dropped: 0,
    badRows: 0,
    samples: 826,
    ...counts,
  },
  lengths: { p50: 45, p95: 90, max: 162, bins: [], width: 10, beyond: 0 },
  refusal: null,
  ...change,
});
const SETTINGS: FactSettings = { seqLen: 128, dedupe: true, badRows: 'refuse', ownEvaluation: false };
const textOf = (id: string, data: DataPreview, settings: Partial<FactSettings> = {}): string | undefined =>
  facts(data, { ...SETTINGS, ...settings }).find((fact) => fact.id === id)?.text;

test('formats', () => {
  expect(formatName('messages')).toBe('JSONL, chat messages');
  expect(formatName('csv:prompt_completion')).toBe('CSV, prompts and completions');
  expect(formatName('csv:mixed')).toBe('CSV, rows of several kinds');
  expect(formatName('plain')).toBe('Plain text');
  expect(oneLine(preview({ format: null }, { rows: 0, tokens: 0 }))).toBe('No readable rows');
  expect(oneLine(preview())).toBe('JSONL, chat messages · 826 rows · 40,000 tokens');
  expect(oneLine(preview({ format: 'plain' }, { rows: 1, tokens: 1 }))).toBe('Plain text · 1 window · 1 token');
});

describe('facts', () => {
  test('what is trained on and what is held out', () => {
    expect(textOf('training', preview())).toBe('826 rows, 40,000 tokens per epoch');
    expect(textOf('evaluation', preview())).toBe('43 rows, 5 %');
    expect(textOf('evaluation', preview(), { ownEvaluation: true })).toBe('43 rows, from a separate file');
    expect(textOf('evaluation', preview({}, { evalRows: 0 }))).toContain('no evaluation loss');
    expect(textOf('loss', preview())).toBe('30,000 tokens, 75 %');
    expect(textOf('loss', preview({}, { tokens: 0, targets: 0 }))).toBe('0 tokens, 0 %');
  });

  test('small shares are not rounded away', () => {
    expect(textOf('cut', preview({}, { truncated: 1 }))).toBe('1 row, 0.1 %, longer than 128 tokens');
    expect(textOf('cut', preview({}, { truncated: 87 }))).toBe('87 rows, 10 %, longer than 128 tokens');
  });

  test('duplicates and malformed rows say what becomes of them', () => {
    expect(textOf('duplicates', preview())).toContain('none');
    expect(textOf('duplicates', preview({}, { duplicates: 1 }))).toBe('1 copy of a held-out row, not trained on');
    expect(textOf('duplicates', preview({}, { duplicates: 4 }), { dedupe: false })).toBe('4 copies of held-out rows, trained on anyway');
    expect(textOf('malformed', preview({}, { badRows: 2 }))).toContain('refuses');
    expect(textOf('malformed', preview({}, { badRows: 2 }), { badRows: 'skip' })).toBe('2 rows, skipped');
  });

  test('plain text has no rows that could be any of that', () => {
    const ids = facts(preview({ format: 'plain', template: 'none', ending: { of: 'nothing', token: null, stopIds: [] } }), SETTINGS).map(
      ({ id }) => id,
    );
    expect(ids).toEqual(['training', 'evaluation', 'loss', 'cut', 'dropped']);
    expect(textOf('cut', preview({ format: 'plain' }))).toBe('162 tokens, into windows of 128');
    expect(lengthSummary(preview())).toContain('Half of the rows have at most 45 tokens, 95 % at most 90; the longest has 162.');
  });
});

describe('a row', () => {
  const row = (kind: 'chat' | 'text', shown: number, length: number, targets: number): PreviewRow => ({
    row: kind === 'chat' ? { kind, messages: [], row: 7 } : { kind, text: '' },
    use: 'training',
    tokens: Array.from({ length: shown }, (_, i) => ({ text: 'a', id: 1, target: i >= shown - targets, special: false })),
    length,
  });

  test('says how much of it is read and learned', () => {
    expect(rowSummary(row('chat', 20, 20, 5), 128)).toBe('20 tokens; 5 count toward the loss');
    expect(rowSummary(row('chat', 20, 20, 1), 128)).toBe('20 tokens; 1 counts toward the loss');
    expect(rowSummary(row('chat', 20, 20, 0), 128)).toBe('20 tokens; none counts toward the loss');
    expect(rowSummary(row('chat', 129, 162, 90), 128)).toBe('129 of 162 tokens, the rest is cut off; 90 count toward the loss');
    expect(rowSummary(row('text', 129, 300, 128), 128)).toBe('129 of 300 tokens, the first of 3 windows; 128 count toward the loss');
  });

  test('has the number of its line', () => {
    expect(rowName(row('chat', 1, 1, 0), 'messages', 0)).toBe('Row 7');
    expect(rowName(row('text', 1, 1, 0), 'plain', 4)).toBe('Window 5');
  });
});
